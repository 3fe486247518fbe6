import { homedir } from 'node:os';
import { join } from 'node:path';
import { isProgram } from '../src/system/programs.ts';

/** A nerdctl of this version, if `scripts/peers.mjs` has found or built one. */
export const findNerdctl = (version: string): string | undefined => findPeer(`nerdctl-${version}`);

/** A program of another project, if `scripts/peers.mjs` has found or built it. */
export function findPeer(name: string): string | undefined {
  const directories = [
    ...(process.env.HEALTHCTL_PEERS ?? '').split(':').filter((directory) => directory !== ''),
    join(homedir(), '.cache/healthctl-peers/bin'),
  ];
  return directories.map((directory) => join(directory, name)).find(isProgram);
}
