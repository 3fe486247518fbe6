import { join } from 'node:path';
import type { FaultReporter } from '../../lib/fault-reporter.ts';
import type { InterfaceAddress } from '../../network/attachment.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { makeOwnDirectory, readOwnText } from '../../system/own-file.ts';

const FILE = 'address';

/** `10.80.0.2 02:42:0a:50:00:02` */
const LINE = /^([\d.]{7,15}|[\da-f:]{2,45}) ([\da-f:]{0,59})\n$/i;

/**
 * The container's last address on its network; undefined before its first run, and if the file is damaged: then it gets
 * another address.
 *
 * @param dataDir the container's
 */
export function lastAddressOf(dataDir: string, faults: FaultReporter = {}): InterfaceAddress | undefined {
  const [, address, mac] = LINE.exec(readOwnText(join(dataDir, FILE), faults) ?? '') ?? [];
  return address === undefined || mac === undefined ? undefined : { address, mac };
}

/** Throws EXHAUSTED without space. */
export function noteAddress(dataDir: string, endpoint: InterfaceAddress | undefined): void {
  if (endpoint === undefined) return;
  const { address, mac } = endpoint;
  const last = lastAddressOf(dataDir);
  if (last?.address === address && last.mac === mac) return;
  makeOwnDirectory(dataDir);
  replaceFile(join(dataDir, FILE), `${address} ${mac}\n`);
}
