import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isProgram } from '../src/system/programs.ts';
import type { Had } from './debian-program.ts';
import { processEnvironment } from './debian-root.ts';
import { runProgram } from './program.ts';

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

const PEERS = fileURLToPath(new URL('../scripts/peers.mjs', import.meta.url));

/** A program of another project: found, or built now, which may take minutes. */
export async function peerProgram(name: string): Promise<Had> {
  const found = findPeer(name);
  if (found) return { path: found };
  const options = { env: processEnvironment(), timeoutMs: 1_200_000 };
  const { code, stdout, stderr } = await runProgram([process.execPath, PEERS, name], options);
  return code === 0 ? { path: stdout.trim() } : { missing: `no ${name} could be built: ${stderr.trim()}` };
}
