import { readFileSync } from 'node:fs';
import { errnoOf, HealthctlError, messageOf } from '../lib/errors.ts';
import { DEFAULT_LOG_ENTRIES } from '../store/health-store.ts';
import type { Settings } from '../world.ts';
import type { GlobalFlags } from './globals.ts';

export const DEFAULT_CONFIG_FILE = '/etc/healthctl/healthctl.toml';

const DEFAULTS: Settings = {
  address: '/run/containerd/containerd.sock',
  namespace: 'default',
  snapshotter: 'overlayfs',
  runRoot: '/run/healthctl',
  dataRoot: '/var/lib/healthctl',
  nerdctlDataRoot: '/var/lib/nerdctl',
  healthLogEntries: DEFAULT_LOG_ENTRIES,
  debug: false,
};

type TextSetting = Exclude<keyof Settings, 'debug' | 'healthLogEntries'>;

/** Per setting: its key in the file, its environment variable, its flag, and what must hold of a value. */
const SETTINGS: Readonly<
  Record<TextSetting, { key: string; variable?: string; flag?: string; check: (value: string) => string }>
> = {
  address: { key: 'address', variable: 'CONTAINERD_ADDRESS', flag: '--address', check: checkAddress },
  namespace: { key: 'namespace', variable: 'CONTAINERD_NAMESPACE', flag: '--namespace', check: checkIdentifier },
  snapshotter: {
    key: 'snapshotter',
    variable: 'CONTAINERD_SNAPSHOTTER',
    flag: '--snapshotter',
    check: checkIdentifier,
  },
  runRoot: { key: 'run_root', variable: 'HEALTHCTL_RUN_ROOT', flag: '--run-root', check: checkDirectory },
  dataRoot: { key: 'data_root', variable: 'HEALTHCTL_DATA_ROOT', flag: '--data-root', check: checkDirectory },
  nerdctlDataRoot: { key: 'nerdctl_data_root', check: checkDirectory },
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings of this call: flags, else environment, else the configuration file, else defaults. An empty variable counts as absent.
 *
 * The file is `$HEALTHCTL_TOML`, which must exist, or /etc/healthctl/healthctl.toml, which need not.
 * Throws CONFIG (USAGE for a flag) naming where the wrong value stands.
 */
export async function loadSettings(flags: GlobalFlags, env: Environment): Promise<Settings> {
  const file = await readConfigFile(env);
  const text = (name: TextSetting): string => {
    const { variable, flag, check } = SETTINGS[name];
    const fromFlag = name === 'nerdctlDataRoot' ? undefined : flags[name];
    if (fromFlag !== undefined) return at('USAGE', flag ?? name, () => check(fromFlag));
    const fromEnvironment = variable === undefined ? undefined : env[variable];
    if (variable !== undefined && fromEnvironment) return at('CONFIG', `$${variable}`, () => check(fromEnvironment));
    return file.texts.get(name) ?? DEFAULTS[name];
  };
  return {
    address: text('address'),
    namespace: text('namespace'),
    snapshotter: text('snapshotter'),
    runRoot: text('runRoot'),
    dataRoot: text('dataRoot'),
    nerdctlDataRoot: text('nerdctlDataRoot'),
    healthLogEntries: file.healthLogEntries ?? DEFAULTS.healthLogEntries,
    debug: flags.debug ?? file.debug ?? DEFAULTS.debug,
  };
}

interface ConfigFile {
  readonly texts: ReadonlyMap<TextSetting, string>;
  readonly debug?: boolean;
  readonly healthLogEntries?: number;
}

async function readConfigFile(env: Environment): Promise<ConfigFile> {
  const path = env.HEALTHCTL_TOML || DEFAULT_CONFIG_FILE;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
    if (missing && !env.HEALTHCTL_TOML) return { texts: new Map() };
    const hint = env.HEALTHCTL_TOML ? 'it is named by $HEALTHCTL_TOML' : undefined;
    const reason = missing ? 'no such file' : errnoOf(error) === 'EACCES' ? 'permission denied' : messageOf(error);
    throw new HealthctlError('CONFIG', `cannot read ${path}: ${reason}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return parseConfig(text, path);
}

/** Reads a configuration file: known keys of the right type only. Throws CONFIG naming file, line and key. */
export async function parseConfig(text: string, path: string): Promise<ConfigFile> {
  const texts = new Map<TextSetting, string>();
  const others: { debug?: boolean; healthLogEntries?: number } = {};
  for (const [key, value] of Object.entries(await parseToml(text, path))) {
    const place = `${path}:${lineOf(text, key)}`;
    if (key === 'debug') {
      if (typeof value !== 'boolean') throw wrongType(place, key, 'true or false', value);
      others.debug = value;
      continue;
    }
    if (key === 'health_log_entries') {
      others.healthLogEntries = checkEntries(place, key, value);
      continue;
    }
    const name = settingNames.find((candidate) => SETTINGS[candidate].key === key);
    if (name === undefined) throw unknownKey(place, key);
    if (typeof value !== 'string') throw wrongType(place, key, 'a string', value);
    texts.set(
      name,
      at('CONFIG', `${place}: ${key}`, () => SETTINGS[name].check(value)),
    );
  }
  return { texts, ...others };
}

const settingNames: readonly TextSetting[] = [
  'address',
  'namespace',
  'snapshotter',
  'runRoot',
  'dataRoot',
  'nerdctlDataRoot',
];

/** More than this many results of a container are a history, which health.json, read whole at each look, is not made for. */
const MAX_LOG_ENTRIES = 100;

function checkEntries(place: string, key: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_LOG_ENTRIES) return value;
  throw wrongType(place, key, `a whole number from 1 to ${MAX_LOG_ENTRIES}`, value);
}

async function parseToml(text: string, path: string): Promise<Record<string, unknown>> {
  const { parse, TomlError } = await import('smol-toml');
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = 'not TOML'] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new HealthctlError('CONFIG', `${path}:${error.line}:${error.column}: ${reason}`, { cause: error });
  }
}

/** The line on which a top-level key or table stands; 1 where it is written in a way that is not found. */
function lineOf(text: string, key: string): number {
  const index = text.split('\n').findIndex((line) => /^\s*\[*\s*["']?([^"'\s.=\]]*)/.exec(line)?.[1] === key);
  return index < 0 ? 1 : index + 1;
}

function unknownKey(place: string, key: string): HealthctlError {
  const known = [...settingNames.map((name) => SETTINGS[name].key), 'health_log_entries', 'debug'].join(', ');
  return new HealthctlError('CONFIG', `${place}: unknown key ${JSON.stringify(key)}`, { hint: `known keys: ${known}` });
}

function wrongType(place: string, key: string, wanted: string, value: unknown): HealthctlError {
  return new HealthctlError('CONFIG', `${place}: ${key} must be ${wanted}, not ${JSON.stringify(value)}`);
}

/** Says where a refused value stands. */
function at(code: 'USAGE' | 'CONFIG', place: string, check: () => string): string {
  try {
    return check();
  } catch (error) {
    throw new HealthctlError(code, `${place}: ${messageOf(error)}`, { cause: error });
  }
}

function checkAddress(value: string): string {
  const path = value.replace(/^unix:\/\//, '');
  if (path.startsWith('/')) return path;
  const hint = /^[a-z]+:\/\//.test(path)
    ? 'containerd is reached over a unix socket only'
    : 'it must be an absolute path';
  throw new HealthctlError('CONFIG', `invalid containerd address ${JSON.stringify(value)}: ${hint}`);
}

/** containerd's rule for namespaces and snapshotters (containerd, identifiers/validate.go). */
function checkIdentifier(value: string): string {
  if (value.length > 76) throw new HealthctlError('CONFIG', `${JSON.stringify(value)} is longer than 76 characters`);
  if (/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/.test(value)) return value;
  throw new HealthctlError(
    'CONFIG',
    `${JSON.stringify(value)} must be letters and digits, with single '.', '_' or '-' between them`,
  );
}

function checkDirectory(value: string): string {
  // Node.js 20 never returns from making a directory below /proc.
  if (/^\/(proc|sys)(\/|$)/.test(value)) {
    throw new HealthctlError('CONFIG', `${JSON.stringify(value)} is no place for files`);
  }
  if (value.startsWith('/')) return value;
  throw new HealthctlError('CONFIG', `${JSON.stringify(value)} must be an absolute path`);
}
