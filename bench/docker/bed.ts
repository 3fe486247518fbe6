import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultProfile } from '../../src/oci/seccomp-default.ts';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { type PrivateContainerd, startContainerd } from '../../testbed/private-containerd.ts';
import { type HealthctlSide, startHealthctl } from './healthctl-side.ts';
import { IMAGE, must, removeAll } from './measures.ts';

/** Measures healthctl alone, with its monitor on a private containerd that has IMAGE. Removes everything afterwards. */
export async function withHealthctl(
  measure: (side: HealthctlSide, containerd: PrivateContainerd) => Promise<void>,
): Promise<void> {
  const containerd = await startContainerd();
  const stops = [containerd.stop];
  try {
    const { directory } = containerd;
    const side = await startHealthctl(containerd, writeSeccomp(directory));
    stops.unshift(side.stop);
    const archive = join(directory, 'image.tar');
    writeFileSync(archive, await dockerArchive({ name: IMAGE, config: {} }));
    must(side, 'load', '-q', '-i', archive);
    await measure(side, containerd);
    removeAll(side);
  } finally {
    for (const stop of stops) await stop();
  }
}

/** The default profile, for both sides of a comparison. @returns its path */
export function writeSeccomp(directory: string): string {
  const path = join(directory, 'seccomp.json');
  writeFileSync(path, JSON.stringify(defaultProfile()));
  return path;
}
