import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { startContainerd } from '../../testbed/private-containerd.ts';
import { writeSeccomp } from './bed.ts';
import { startDocker } from './docker-side.ts';
import { startHealthctl } from './healthctl-side.ts';
import { IMAGE, must } from './measures.ts';
import { createReport, type Report } from './report.ts';
import type { Side, Sides } from './side.ts';

/** A side behind its socket, driven by the same client. */
export type Served = Side & { readonly socket: string };

/**
 * Measures healthctl and the Docker of a root directory, both with IMAGE and the docker command line of that root.
 * Removes everything afterwards.
 *
 * @param options.hasNetworks whether Docker has networks: then call it in a network namespace of its own
 * @param work gets also a directory that both see under the same path
 */
export async function withBothSockets(
  root: string,
  options: { readonly hasNetworks: boolean },
  work: (both: Sides<Served>, report: Report, directory: string) => Promise<void>,
): Promise<void> {
  const programs = mkdtempSync(join(tmpdir(), 'healthctl-bench-bin-'));
  for (const name of ['containerd', 'containerd-shim-runc-v2', 'ctr'])
    symlinkSync(join(root, 'usr/bin', name), join(programs, name));
  process.env.HEALTHCTL_TEST_BIN = programs;
  const report = createReport();
  const stops: (() => Promise<void>)[] = [async () => rmSync(programs, { recursive: true })];
  try {
    const containerd = await startContainerd();
    stops.push(containerd.stop);
    const { directory } = containerd;
    mkdirSync(join(directory, 'docker'));
    const seccomp = writeSeccomp(directory);
    const real = await startDocker(root, directory, seccomp, options);
    stops.push(real.stop);
    const socket = join(directory, 'healthctl.sock');
    const ours = await startHealthctl(containerd, seccomp, { dockerSocket: socket });
    stops.push(ours.stop);
    const served = (side: Side, at: string): Served => {
      const program = [join(root, 'usr/bin/docker'), '--host', `unix://${at}`];
      return { ...side, socket: at, program };
    };
    const both = { healthctl: served(ours, socket), docker: served(real, join(directory, 'docker.sock')) };
    const archive = join(directory, 'image.tar');
    writeFileSync(archive, await dockerArchive({ name: IMAGE, config: {} }));
    for (const side of [both.healthctl, both.docker]) must(side, 'load', '-q', '-i', archive);
    report.note(`${ours.versions}\n${real.versions}\nload average ${loadavg()[0]?.toFixed(1)}`);
    await work(both, report, directory);
  } finally {
    report.end();
    for (const stop of stops.reverse()) await stop();
  }
}
