import { join } from 'node:path';
import type { FaultReporter } from '../../lib/fault-reporter.ts';
import type { InterfaceAddress, Membership } from '../../network/attachment.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { makeOwnDirectory, readOwnText } from '../../system/own-file.ts';

const FILE = 'address';

/** `10.80.0.2 02:42:0a:50:00:02 app fd00::2`; earlier versions wrote one line, without the network. */
const LINE = /^([\d.]{7,15}|[\da-f:]{2,45}) ([\da-f:]{0,59})(?: (\S+)(?: ([\da-f:]{2,45}))?)?$/i;

/**
 * The container's last address on a network; undefined before its first run on it, and if the file is damaged: then it
 * gets another address.
 *
 * @param dataDir the container's
 * @param network an address of an earlier version belongs to whatever network the container had
 */
export function lastAddressOf(
  dataDir: string,
  network: string,
  faults: FaultReporter = {},
): InterfaceAddress | undefined {
  const lines = (readOwnText(join(dataDir, FILE), faults) ?? '').split('\n');
  const known = lines.flatMap((line) => {
    const [, address, mac, name = network, address6] = LINE.exec(line) ?? [];
    if (address === undefined || mac === undefined || name !== network) return [];
    return [{ address, mac, ...(address6 === undefined ? {} : { address6 }) }];
  });
  return known[0];
}

/** Networks whose addresses are remembered, those it has included. */
const MAX_LINES = 64;

/** Those of networks that it has left stay, for a later connect. Throws EXHAUSTED without space. */
export function noteAddresses(dataDir: string, memberships: readonly Membership[]): void {
  const before = readOwnText(join(dataDir, FILE)) ?? '';
  const present = memberships.flatMap(({ network, endpoint }) =>
    endpoint
      ? [`${endpoint.address} ${endpoint.mac} ${network}${endpoint.ipv6 ? ` ${endpoint.ipv6.address}` : ''}`]
      : [],
  );
  const left = before.split('\n').filter((line) => {
    const [, , , name] = LINE.exec(line) ?? [];
    return name !== undefined && !memberships.some(({ network }) => network === name);
  });
  const text = [...present, ...left]
    .slice(0, MAX_LINES)
    .map((line) => `${line}\n`)
    .join('');
  if (before === text) return;
  makeOwnDirectory(dataDir);
  replaceFile(join(dataDir, FILE), text);
}
