import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Containerd } from '../src/containerd/client.ts';
import type { TaskStdio } from '../src/containerd/tasks.ts';
import { dockerArchive, imageParts } from './image-archive.ts';

/**
 * Containers that only our containerd client makes: tests of what moves bytes do not depend on the code that creates
 * containers.
 */
export interface BareContainers {
  /**
   * Creates a container that runs `sh -c SCRIPT`, or the program of a list.
   * @returns its id
   */
  create(script: string | readonly string[], options?: BareOptions): Promise<string>;
  /**
   * Creates its task, ready to start.
   * @returns the pid
   */
  createTask(id: string, stdio: TaskStdio): Promise<number>;
}

export interface BareOptions {
  readonly terminal?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly user?: { readonly uid: number; readonly gid: number };
}

interface BareContainersOptions {
  readonly containerd: Containerd;
  /** For the image archive. */
  readonly directory: string;
  ctr(...args: string[]): Promise<string>;
}

const SNAPSHOTTER = 'overlayfs';

/** Imports a busybox image. Containers of it need no network, no mounts of the host and no cgroup limits. */
export async function openBareContainers({
  containerd,
  directory,
  ctr,
}: BareContainersOptions): Promise<BareContainers> {
  const name = 'docker.io/test/bare:1';
  const archive = join(directory, 'bare.tar');
  writeFileSync(archive, await dockerArchive({ name }));
  await ctr('images', 'import', archive);
  const { layer } = await imageParts({ name });
  return {
    create: async (script, options = {}) => {
      const id = `b-${randomBytes(6).toString('hex')}`;
      const snapshot = { snapshotter: SNAPSHOTTER, key: id };
      // Keeps containerd's garbage collection from the snapshot until a container refers to it.
      const labels = { 'containerd.io/gc.root': new Date().toISOString() };
      await containerd.snapshots.prepare({ ...snapshot, parent: layer.digest, labels });
      const args = typeof script === 'string' ? ['sh', '-c', script] : script;
      await containerd.containers.create({
        id,
        labels: options.labels ?? {},
        image: name,
        runtime: 'io.containerd.runc.v2',
        snapshotter: SNAPSHOTTER,
        snapshotKey: id,
        specJson: JSON.stringify(specOf(args, options)),
      });
      return id;
    },
    createTask: async (id, stdio) => {
      const rootfs = await containerd.snapshots.mounts({ snapshotter: SNAPSHOTTER, key: id });
      return containerd.tasks.create({ containerId: id, rootfs, ...stdio });
    },
  };
}

function specOf(args: readonly string[], { terminal = false, user = { uid: 0, gid: 0 } }: BareOptions): unknown {
  const capabilities = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID'];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal,
      user,
      args,
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', ...(terminal ? ['TERM=xterm'] : [])],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    root: { path: 'rootfs' },
    hostname: 'bare',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
    ],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })),
    },
  };
}
