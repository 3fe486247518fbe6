import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type NerdctlRecording,
  type RecordedContainer,
  type RecordedVersion,
  recordContainer,
  recordingPath,
} from '../../testbed/nerdctl-recording.ts';
import { describeWithNerdctl, openPeersBed, type PeersBed } from './bed.ts';

const RECORDED_OPTIONS: Readonly<Record<RecordedContainer, readonly string[]>> = {
  plain: ['--health-cmd', 'echo checked'],
  rich: [
    ...['--publish', '127.0.0.1:8085:80', '--volume', 'data:/data', '--volume', '/anonymous'],
    ...['--volume', '<directory>:/host:ro', '--tmpfs', '/scratch:size=1m', '--memory', '64m', '--cpus', '0.5'],
    ...['--pids-limit', '100', '--cap-add', 'NET_ADMIN', '--cap-drop', 'MKNOD', '--user', 'probe', '--workdir', '/tmp'],
    ...['--add-host', 'db:10.1.2.3', '--dns', '10.9.9.9', '--hostname', 'here', '--restart', 'always'],
    ...['--sysctl', 'net.ipv4.ip_forward=1', '--ulimit', 'nofile=100:200', '--shm-size', '32m'],
    ...['--security-opt', 'no-new-privileges', '--stop-timeout', '7', '--label', 'a=b', '--env', 'X=Y'],
  ],
};

/** What does not depend on the machine and its kernel. */
const comparable = ({ labels, spec, files }: NerdctlRecording) => ({
  labels,
  files,
  annotations: spec.annotations,
  mounts: (spec.mounts as readonly { readonly source: string }[]).filter(({ source }) => source.startsWith('<')),
});

/** Compares what nerdctl leaves with the recordings that other tests use. UPDATE_GOLDEN=1 records again. */
describeWithNerdctl('the recordings of nerdctl', () => {
  let peers: PeersBed;
  beforeAll(async () => {
    peers = await openPeersBed();
  });
  afterAll(() => peers[Symbol.asyncDispose]());

  test.for(['plain', 'rich'] as const)('equal what nerdctl leaves of a container: %s', async (kind, { skip }) => {
    const { bed, dataRoot, image } = peers;
    const version = (await peers.nerdctl('--version')).replace(/^nerdctl version v?/, '');
    skip(!isRecorded(version), `nerdctl ${version} is not recorded`);
    const name = `${kind}-container`;
    const directory = join(dataRoot, 'host');
    mkdirSync(directory, { recursive: true });
    const options = RECORDED_OPTIONS[kind].map((option) => option.replace('<directory>', directory));
    const created = await peers.nerdctl('create', '--name', name, ...options, image, 'sleep', '600');
    const id = created.split('\n').at(-1) ?? '';
    const info = JSON.parse(await bed.ctr('containers', 'info', id));
    const left = recordContainer({ ...bed, dataRoot }, { id, name }, info);
    const path = recordingPath(version as RecordedVersion);
    const recorded = readJson(path);
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, `${JSON.stringify({ ...recorded, [kind]: left }, null, 2)}\n`);
    else expect(comparable(left)).toEqual(comparable(recorded[kind] as NerdctlRecording));
    await peers.nerdctl('rm', name);
  });
});

const isRecorded = (version: string): version is RecordedVersion => version === '2.1.5' || version === '2.3.5';

function readJson(path: string): Readonly<Partial<Record<RecordedContainer, NerdctlRecording>>> {
  return process.env.UPDATE_GOLDEN ? readOr(path, '{}') : readOr(path);
}

function readOr(path: string, otherwise?: string): Readonly<Partial<Record<RecordedContainer, NerdctlRecording>>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (otherwise === undefined) throw error;
    return JSON.parse(otherwise);
  }
}
