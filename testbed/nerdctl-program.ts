import { homedir } from 'node:os';
import { join } from 'node:path';
import { isProgram } from '../src/system/programs.ts';

/** A nerdctl of this version, where `scripts/peers.mjs` keeps what it found or built; undefined where there is none. */
export function findNerdctl(version: string): string | undefined {
  const directories = [
    ...(process.env.HEALTHCTL_PEERS ?? '').split(':').filter((directory) => directory !== ''),
    join(homedir(), '.cache/healthctl-peers/bin'),
  ];
  return directories.map((directory) => join(directory, `nerdctl-${version}`)).find(isProgram);
}
