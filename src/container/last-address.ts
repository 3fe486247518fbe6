import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { replaceFile } from '../store/atomic-write.ts';

const FILE = 'address';

/** The address that a container had on its network when it ran last; undefined before its first run. @param dataDir the container's */
export function lastAddressOf(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, FILE), 'utf8').trim() || undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Throws EXHAUSTED without space. */
export function noteAddress(dataDir: string, address: string | undefined): void {
  if (address === undefined || address === lastAddressOf(dataDir)) return;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  replaceFile(join(dataDir, FILE), `${address}\n`);
}
