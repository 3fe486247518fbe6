import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';

/** The lines that every container has (moby: libnetwork/etchosts). */
const LOOPBACK_HOSTS: readonly string[] = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** A line: an address, and its names. */
export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

const BEGIN = '# healthctl: kept up to date from here';
const END = '# healthctl: to here';

/** A whole new file. */
export function hostsText(entries: readonly HostEntry[]): string {
  return `${[...LOOPBACK_HOSTS, ...blockOf(entries)].join('\n')}\n`;
}

/** The file with our block renewed; the rest was written by the container, and stays. */
export function withEntries(text: string, entries: readonly HostEntry[]): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const [first, last] = [lines.indexOf(BEGIN), lines.indexOf(END)];
  const rest = first < 0 || last < first ? lines : [...lines.slice(0, first), ...lines.slice(last + 1)];
  const at = first < 0 || last < first ? lines.length : first;
  return `${rest.toSpliced(at, 0, ...blockOf(entries)).join('\n')}\n`;
}

/** A name that is a single word of its line. */
const PLAIN_NAME = /^[^\s#]+$/;

function blockOf(entries: readonly HostEntry[]): readonly string[] {
  const lines = entries.flatMap(({ address, names }) => {
    const plain = names.filter((name) => PLAIN_NAME.test(name));
    return plain.length === 0 ? [] : [`${address}\t${plain.join(' ')}`];
  });
  return lines.length === 0 ? [] : [BEGIN, ...lines, END];
}

/** The size from which on we leave a container's file alone. */
const MAX_BYTES = 1 << 20;

/**
 * Renews our block in place, because the container has mounted the file itself, and would not see a replacement.
 *
 * @returns whether it succeeded: not for a file that is missing or too large
 */
export function updateHostsFile(path: string, entries: readonly HostEntry[]): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_BYTES) return false;
    const before = readFileSync(fd, 'utf8');
    const after = withEntries(before, entries);
    if (after === before) return true;
    const bytes = Buffer.from(after);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
    ftruncateSync(fd, bytes.length);
    return true;
  } finally {
    closeSync(fd);
  }
}
