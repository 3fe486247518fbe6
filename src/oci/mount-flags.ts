import { HealthctlError } from '../lib/errors.ts';
import { quote } from '../lib/quote.ts';
import type { Bind, Propagation, Tmpfs } from './mounts.ts';
import { cleanPath, isAbsolute } from './paths.ts';

const PROPAGATIONS: ReadonlySet<string> = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);

/** The words that a `-v` may end with; at most one of each kind. */
const MODE_KINDS: readonly ReadonlySet<string>[] = [
  new Set(['ro', 'rw']),
  new Set(['z', 'Z']),
  PROPAGATIONS,
  new Set(['nocopy']),
  new Set(['consistent', 'cached', 'delegated']),
];

/**
 * `-v SOURCE:DESTINATION[:MODE]`; a source that begins with `.` is taken from `cwd`. Throws USAGE with Docker's texts (moby
 * daemon/volume/mounts/linux_parser.go), and says so for named and anonymous volumes, which do not exist here.
 */
export function parseVolume(text: string, cwd: string): Bind {
  const parts = text.split(':');
  const [source = '', destination, mode = ''] = parts;
  const isMode = parts.length === 2 && isMountMode(destination ?? '');
  if (source === '' || parts.length > 3 || isMode) throw usage(`invalid volume specification: '${text}'`);
  if (destination === undefined) {
    throw refuseVolume(`anonymous volumes are not supported yet: ${quote(text)}`, `/host/directory:${text}`);
  }
  if (!isMountMode(mode)) throw usage(`invalid mode: ${mode}`);
  checkSource(source, destination);
  checkDestination(destination, (reason) => `invalid volume specification: '${text}': ${reason}`);
  const words = mode.split(',');
  const relabel = words.includes('z') ? 'shared' : words.includes('Z') ? 'private' : undefined;
  return {
    source: cleanPath(source, cwd),
    destination: cleanPath(destination),
    readOnly: words.includes('ro'),
    propagation: words.find(isPropagation) ?? 'rprivate',
    ...(relabel && { relabel }),
  };
}

function isMountMode(mode: string): boolean {
  if (mode === '') return true;
  const kinds = mode.split(',').map((word) => MODE_KINDS.findIndex((kind) => kind.has(word)));
  return !kinds.includes(-1) && new Set(kinds).size === kinds.length;
}

function isPropagation(word: string): word is Propagation {
  return PROPAGATIONS.has(word);
}

function checkSource(source: string, destination: string): void {
  if (isAbsolute(source) || source.startsWith('.')) return;
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(source)) {
    throw refuseVolume(`named volumes are not supported yet: ${quote(source)}`, `/host/directory:${destination}`);
  }
  const allowed = quote('[a-zA-Z0-9][a-zA-Z0-9_.-]');
  throw usage(
    `create ${source}: ${quote(source)} includes invalid characters for a local volume name, only ${allowed} are allowed. ` +
      'If you intended to pass a host directory, use absolute path',
  );
}

function refuseVolume(message: string, example: string): HealthctlError {
  return new HealthctlError('USAGE', message, {
    hint: `give the absolute path of a host directory, e.g. -v ${example}`,
  });
}

function checkDestination(destination: string, describe: (reason: string) => string): void {
  const [reason] = [
    ...(destination === '' ? ['invalid mount config for type "bind": field Target must not be empty'] : []),
    ...(cleanPath(destination) === '/' && isAbsolute(destination)
      ? ["invalid specification: destination can't be '/'"]
      : []),
    ...(isAbsolute(destination) ? [] : [`invalid mount path: '${destination}' mount path must be absolute`]),
  ];
  if (reason !== undefined) throw usage(describe(reason));
}

const TMPFS_DEFAULTS = ['noexec', 'nosuid', 'nodev', 'rprivate'];
/** Words that undo each other: the last one given is kept. */
const TMPFS_WORDS: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['exec', 'noexec'],
  ['sync', 'async'],
  ['dirsync'],
  ['mand', 'nomand'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
  ['relatime', 'norelatime'],
  ['strictatime', 'nostrictatime'],
  [...PROPAGATIONS, 'unbindable', 'runbindable'],
];
const TMPFS_VALUES = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

/** `--tmpfs DESTINATION[:OPTIONS]`, on top of noexec, nosuid and nodev; `exec` and the like undo them (moby/sys mount.MergeTmpfsOptions). */
export function parseTmpfs(text: string): Tmpfs {
  const [destination = ''] = text.split(':', 1);
  const words = text.slice(destination.length + 1).split(',');
  checkDestination(destination, (reason) => reason);
  const merged = new Map<string, string>();
  for (const word of [...TMPFS_DEFAULTS, ...words]) {
    if (word === '' || word === 'defaults') continue;
    const key = tmpfsKey(word);
    merged.delete(key);
    merged.set(key, word);
  }
  return { destination: cleanPath(destination), options: [...merged.values()] };
}

function tmpfsKey(word: string): string {
  const group = TMPFS_WORDS.find((words) => words.includes(word));
  const [name = '', ...value] = word.split('=');
  if (group?.[0] !== undefined) return group[0];
  if (value.length > 0 && TMPFS_VALUES.has(name)) return `${name}=`;
  const parts = value.length > 0 ? [name, value.join('=')] : [name];
  throw usage(`invalid tmpfs option [${parts.map(quote).join(' ')}]`);
}

function usage(message: string): HealthctlError {
  return new HealthctlError('USAGE', message);
}
