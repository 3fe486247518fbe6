import { HealthctlError } from '../lib/errors.ts';
import { parseCsvLine } from './csv.ts';
import { checkDestination, checkVolumeName, isPropagation, mergeTmpfsOptions } from './mount-flags.ts';
import type { Bind, MountRequest } from './mounts.ts';
import { parseSize } from './parse.ts';
import { cleanPath, isAbsolute, isLocalPath } from './paths.ts';

/** The given fields of one `--mount`. */
export interface MountFields {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation?: string;
  readonly recursive?: string;
  /** Only Docker's API has it. */
  readonly makesSource?: true;
  readonly noCopy?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** The part of a volume that is mounted. */
  readonly part?: string;
  /** Of the driver of a volume. */
  readonly options?: Readonly<Record<string, string>>;
  readonly size?: number;
  readonly mode?: number;
  /** Which groups of options occur: `bind`, `volume`, `tmpfs`. */
  readonly groups: ReadonlySet<string>;
}

/** Given without a value they are true. */
const FLAGS: ReadonlySet<string> = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive']);
const RECURSIVE: readonly string[] = ['enabled', 'disabled', 'writable', 'readonly'];

/**
 * `--mount type=bind|volume|tmpfs,source=…,target=…,…`, comma-separated values as in a line of CSV; a source that
 * begins with `./` is taken from `cwd`. Throws USAGE with Docker's texts (docker/cli opts/mount.go, moby
 * daemon/volume/mounts/linux_parser.go).
 */
export function parseMount(text: string, cwd: string): MountRequest {
  return mountOf(readMountFields(text, cwd));
}

/**
 * The part of parseMount that Docker's daemon does. Throws USAGE with its texts.
 *
 * @public
 */
export function mountOf(fields: MountFields): MountRequest {
  const refuse = (reason: string) => usage(`invalid mount config for type "${fields.type}": ${reason}`);
  if (fields.target === '') throw refuse('field Target must not be empty');
  checkDestination(fields.target, (reason) => refuse(reason).message);
  if (fields.type === 'bind') return bindOf(fields, refuse);
  if (fields.type === 'volume') return volumeOf(fields, refuse);
  if (fields.type === 'tmpfs') return tmpfsOf(fields, refuse);
  throw refuse('mount type unknown');
}

/** The part of parseMount that Docker's client does. Throws USAGE with its texts. */
export function readMountFields(text: string, cwd: string): MountFields {
  const fields = readFields(text, cwd);
  if (fields.type === '') throw usage('type is required');
  if (fields.target === '') throw usage('target is required');
  for (const group of ['volume', 'bind', 'tmpfs']) {
    if (fields.groups.has(group) && fields.type !== group) {
      throw usage(`cannot mix '${group}-*' options with mount type '${fields.type}'`);
    }
  }
  return fields;
}

function readFields(text: string, cwd: string): MountFields {
  let fields: MountFields = {
    type: 'volume',
    source: '',
    target: '',
    readOnly: false,
    labels: {},
    groups: new Set(),
  };
  for (const field of parseCsvLine(text)) {
    const [name = ''] = field.split('=', 1);
    const key = name.toLowerCase();
    const hasValue = field.includes('=');
    if (!hasValue && !FLAGS.has(key)) throw usage(`invalid field '${field}' must be a key=value pair`);
    const value = hasValue ? field.slice(name.length + 1) : 'true';
    const group = /^(bind|volume|tmpfs)-/.exec(key)?.[1];
    const groups = group === undefined ? fields.groups : new Set([...fields.groups, group]);
    fields = { ...fields, groups, ...fieldOf({ key, value, field, cwd, before: fields }) };
  }
  return fields;
}

interface Field {
  readonly key: string;
  readonly value: string;
  /** As given, for error texts. */
  readonly field: string;
  readonly cwd: string;
  readonly before: MountFields;
}

function fieldOf({ key, value, field, cwd, before }: Field): Partial<MountFields> {
  switch (key) {
    case 'type':
      return { type: value.toLowerCase() };
    case 'source':
    case 'src':
      return { source: value === '.' || value.startsWith('./') ? cleanPath(value, cwd) : value };
    case 'target':
    case 'dst':
    case 'destination':
      return { target: value };
    case 'readonly':
    case 'ro':
      return { readOnly: booleanOf(key, value) };
    case 'consistency':
      return {}; // has an effect on macOS only
    case 'bind-propagation':
      return { propagation: value.toLowerCase() };
    case 'bind-nonrecursive':
      return booleanOf(key, value) ? { recursive: 'disabled' } : {};
    case 'bind-recursive':
      return { recursive: recursiveOf(key, value) };
    default:
      return volumeFieldOf({ key, value, field, before });
  }
}

function volumeFieldOf({ key, value, field, before }: Omit<Field, 'cwd'>): Partial<MountFields> {
  switch (key) {
    case 'volume-nocopy':
      return { noCopy: booleanOf(key, value) };
    case 'volume-label': {
      const [label = ''] = value.split('=', 1);
      return label === '' ? {} : { labels: { ...before.labels, [label]: value.slice(label.length + 1) } };
    }
    case 'volume-driver':
      if (value === 'local' || value === '') return {};
      throw usage(`error looking up volume plugin ${value}: plugin "${value}" not found`);
    case 'volume-opt': {
      const [option = ''] = value.split('=', 1);
      return option === '' ? {} : { options: { ...before.options, [option]: value.slice(option.length + 1) } };
    }
    case 'volume-subpath':
      return { part: value };
    case 'image-subpath':
      throw usage(`${key} is not supported`);
    case 'tmpfs-size':
      return { size: sizeOf(key, value) };
    case 'tmpfs-mode':
      if (!/^[0-7]{1,10}$/.test(value)) throw usage(`invalid value for ${key}: ${value}`);
      return { mode: Number.parseInt(value, 8) };
    default:
      throw usage(`unexpected key '${key}' in '${field}'`);
  }
}

type Refuse = (reason: string) => HealthctlError;

function bindOf(fields: MountFields, refuse: Refuse): MountRequest {
  const { source, target, readOnly, propagation = 'rprivate', recursive = 'enabled' } = fields;
  if (source === '') throw refuse('field Source must not be empty');
  if (!isAbsolute(source)) throw refuse(`invalid mount path: '${source}' mount path must be absolute`);
  if (!isPropagation(propagation)) throw refuse(`invalid propagation mode: ${propagation}`);
  if ((recursive === 'writable' || recursive === 'readonly') && !readOnly) {
    throw usage(`option 'bind-recursive=${recursive}' requires 'readonly' to be specified in conjunction`);
  }
  if (recursive === 'readonly' && fields.propagation !== 'rprivate') {
    throw usage("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction");
  }
  const bind: Bind = {
    source: cleanPath(source),
    destination: cleanPath(target),
    readOnly,
    propagation,
    mount: {
      recursive: recursiveOf('bind-recursive', recursive),
      ...(fields.propagation === undefined ? {} : { hasPropagation: true as const }),
      ...(fields.makesSource ? { makesSource: true as const } : {}),
    },
  };
  return { kind: 'bind', bind };
}

function volumeOf(fields: MountFields, refuse: Refuse): MountRequest {
  const { source, target, readOnly, noCopy = false, labels, options = {}, part = '' } = fields;
  if (source === '' && readOnly) throw refuse('must not set ReadOnly mode when using anonymous volumes');
  if (part !== '' && source === '') throw refuse('must not set Subpath when using anonymous volumes');
  if (part !== '' && !isLocalPath(part)) throw refuse('subpath must be a relative path within the volume');
  if (source !== '') checkVolumeName(source);
  const name = source === '' ? {} : { name: source };
  const given = Object.keys(options).length === 0 ? {} : { options };
  const volume = {
    ...name,
    destination: cleanPath(target),
    readOnly,
    noCopy,
    labels,
    ...given,
    ...(part === '' ? {} : { part }),
    isMount: true,
  } as const;
  return { kind: 'volume', volume };
}

function tmpfsOf(fields: MountFields, refuse: Refuse): MountRequest {
  if (fields.source !== '') throw refuse('field Source must not be specified');
  const { readOnly, size, mode } = fields;
  const options = mergeTmpfsOptions([
    ...(readOnly ? ['ro'] : []),
    ...(size === undefined ? [] : [`size=${size}`]),
    ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
  ]);
  const mount = { ...(size === undefined ? {} : { size }), ...(mode === undefined ? {} : { mode }) };
  return { kind: 'tmpfs', tmpfs: { destination: cleanPath(fields.target), options, mount } };
}

/** Go's strconv.ParseBool. */
function booleanOf(key: string, value: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw usage(`invalid value for ${key}: ${value}`);
}

function recursiveOf(key: string, value: string): NonNullable<Bind['mount']>['recursive'] {
  if (value === 'enabled' || value === 'disabled' || value === 'writable' || value === 'readonly') return value;
  const words = RECURSIVE.map((word) => `"${word}"`);
  throw usage(`invalid value for ${key}: ${value} (must be ${words.slice(0, -1).join(', ')}, or ${words.at(-1)})`);
}

function sizeOf(key: string, value: string): number {
  try {
    return parseSize(value);
  } catch (cause) {
    throw new HealthctlError('USAGE', `invalid value for ${key}: ${value}`, { cause });
  }
}

function usage(message: string): HealthctlError {
  return new HealthctlError('USAGE', message);
}
