import { quote } from '../go/quote.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { Bind, MountRequest, Propagation, Tmpfs, VolumeRequest } from './mounts.ts';
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
 * `-v [SOURCE:]DESTINATION[:MODE]`: a source that begins with `/` or `.` is a path of the host, relative to `cwd`, any
 * other the name of a volume; without one it is an anonymous volume. Throws USAGE with Docker's texts (moby
 * daemon/volume/mounts/linux_parser.go).
 */
export function parseVolume(text: string, cwd: string): MountRequest {
  const parts = text.split(':');
  const describe = (reason: string) => `invalid volume specification: '${text}': ${reason}`;
  if (parts.length === 1 && text !== '') {
    checkDestination(text, describe);
    return { kind: 'volume', volume: { destination: cleanPath(text), readOnly: false, noCopy: false, labels: {} } };
  }
  const [source = '', destination = '', mode = ''] = parts;
  const isMode = parts.length === 2 && isMountMode(destination);
  if (source === '' || parts.length > 3 || isMode) throw usage(`invalid volume specification: '${text}'`);
  if (!isMountMode(mode)) throw usage(`invalid mode: ${mode}`);
  checkDestination(destination, describe);
  const given = { source, destination: cleanPath(destination), mode };
  if (isAbsolute(source) || source.startsWith('.')) return { kind: 'bind', bind: bindOf(given, cwd, describe) };
  return { kind: 'volume', volume: namedVolumeOf(given, describe) };
}

interface Given {
  readonly source: string;
  readonly destination: string;
  readonly mode: string;
}

function bindOf({ source, destination, mode }: Given, cwd: string, describe: (reason: string) => string): Bind {
  const words = mode.split(',');
  if (words.includes('nocopy')) throw usage(describe(extraField('bind', 'VolumeOptions')));
  const relabel = relabelOf(words);
  return {
    source: cleanPath(source, cwd),
    destination,
    readOnly: words.includes('ro'),
    propagation: words.find(isPropagation) ?? 'rprivate',
    ...(relabel && { relabel }),
    mode,
  };
}

function relabelOf(words: readonly string[]): Bind['relabel'] {
  if (words.includes('z')) return 'shared';
  return words.includes('Z') ? 'private' : undefined;
}

function namedVolumeOf({ source, destination, mode }: Given, describe: (reason: string) => string): VolumeRequest {
  checkVolumeName(source);
  const words = mode.split(',');
  if (words.some(isPropagation)) throw usage(describe(extraField('volume', 'BindOptions')));
  const [readOnly, noCopy] = [words.includes('ro'), words.includes('nocopy')];
  return { name: source, destination, readOnly, noCopy, labels: {}, mode };
}

const extraField = (type: string, field: string): string =>
  `invalid mount config for type "${type}": field ${field} must not be specified`;

/** Throws INVALID with Docker's texts (moby volume/local). */
export function checkVolumeName(name: string): void {
  const refuse = (reason: string) => new HealthctlError('INVALID', `create ${name}: ${reason}`);
  if (name.length === 1) throw refuse('volume name is too short, names should be at least two alphanumeric characters');
  if (VOLUME_NAME.test(name) && name.length <= MAX_NAME) return;
  const allowed = quote('[a-zA-Z0-9][a-zA-Z0-9_.-]');
  throw refuse(
    `${quote(name)} includes invalid characters for a local volume name, only ${allowed} are allowed. ` +
      'If you intended to pass a host directory, use absolute path',
  );
}

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** The longest directory name of a file system. */
const MAX_NAME = 255;

function isMountMode(mode: string): boolean {
  if (mode === '') return true;
  const kinds = mode.split(',').map((word) => MODE_KINDS.findIndex((kind) => kind.has(word)));
  return !kinds.includes(-1) && new Set(kinds).size === kinds.length;
}

export function isPropagation(word: string): word is Propagation {
  return PROPAGATIONS.has(word);
}

/**
 * Throws USAGE if nothing can be mounted at a path of the container.
 * @param describe puts the reason into a sentence
 */
export function checkDestination(destination: string, describe: (reason: string) => string): void {
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
/** Words that undo each other: the last one counts. */
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

/**
 * `--tmpfs DESTINATION[:OPTIONS]`, on top of noexec, nosuid and nodev; `exec` and the like undo them (moby/sys
 * mount.MergeTmpfsOptions).
 */
export function parseTmpfs(text: string): Tmpfs {
  const [destination = ''] = text.split(':', 1);
  const words = text.slice(destination.length + 1).split(',');
  checkDestination(destination, (reason) => reason);
  return { destination: cleanPath(destination), options: mergeTmpfsOptions(words) };
}

/** The options of a tmpfs mount: the defaults, overridden by the given ones. Throws USAGE for an invalid one. */
export function mergeTmpfsOptions(words: readonly string[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const word of [...TMPFS_DEFAULTS, ...words]) {
    if (word === '' || word === 'defaults') continue;
    const key = tmpfsKey(word);
    merged.delete(key);
    merged.set(key, word);
  }
  return [...merged.values()];
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
