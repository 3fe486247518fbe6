import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import type { InterfaceAddress } from '../network/attachment.ts';
import { replaceFile } from '../store/atomic-write.ts';

const FILE = 'address';

/** What a container had on its network when it ran last; undefined before its first run. @param dataDir the container's */
export function lastAddressOf(dataDir: string): InterfaceAddress | undefined {
  try {
    const [address = '', mac = ''] = readFileSync(join(dataDir, FILE), 'utf8').trim().split(' ');
    return address === '' ? undefined : { address, mac };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Throws EXHAUSTED without space. */
export function noteAddress(dataDir: string, endpoint: InterfaceAddress | undefined): void {
  if (endpoint === undefined) return;
  const { address, mac } = endpoint;
  const last = lastAddressOf(dataDir);
  if (last?.address === address && last.mac === mac) return;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  replaceFile(join(dataDir, FILE), `${address} ${mac}\n`);
}
