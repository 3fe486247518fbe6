import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { checkIdentifier } from '../../lib/identifier.ts';
import type { HistorySettings, MonitorSettings, NetworkSettings, Settings } from '../../lib/settings.ts';
import { parseBridgeSubnet } from '../../network/subnet.ts';
import { DEFAULT_LOG_ENTRIES } from '../../store/health-store.ts';
import { readPlainFile } from '../../system/plain-file.ts';
import { realSocketPath } from '../../system/socket-path.ts';
import type { GlobalFlags } from '../grammar/globals.ts';
import {
  type CheckValue,
  checkBoolean,
  checkDuration,
  checkNumber,
  checkText,
  type Locate,
  wordOf,
  wrongType,
} from './config-values.ts';
import { checkDockerSocket, checkDockerTcp } from './docker-settings.ts';
import { checkHistory, HISTORY_DEFAULTS } from './history-settings.ts';
import { checkHooks } from './hook-settings.ts';
import { checkMetrics, DEFAULT_METRICS } from './metrics-settings.ts';
import { checkPage, DEFAULT_PAGE } from './page-settings.ts';
import { linesOf } from './toml-lines.ts';

const DEFAULT_CONFIG_FILE = '/etc/healthctl/healthctl.toml';

/** The path of the settings file, whether it exists or not. */
export function configPathOf({ HEALTHCTL_TOML }: Readonly<Record<string, string | undefined>>): string {
  return HEALTHCTL_TOML || DEFAULT_CONFIG_FILE;
}

export const DEFAULTS: Settings = {
  address: '/run/containerd/containerd.sock',
  namespace: 'default',
  snapshotter: 'overlayfs',
  runRoot: '/run/healthctl',
  dataRoot: '/var/lib/healthctl',
  nerdctlDataRoot: '/var/lib/nerdctl',
  healthLogEntries: DEFAULT_LOG_ENTRIES,
  network: { defaultNetwork: 'bridge', bridgeSubnet: undefined, cniBinDir: undefined },
  monitor: {
    autostart: true,
    scheduler: 'daemon',
    adopt: 'auto',
    namespaces: [],
    maxChecks: 4 * availableParallelism(),
    idleTimeoutMs: 10 * 60_000,
    exec: 'fresh',
    hooks: [],
    socketGroup: undefined,
    metrics: DEFAULT_METRICS,
    page: DEFAULT_PAGE,
    dockerSocket: undefined,
    dockerTcp: undefined,
    dockerNamespace: undefined,
  },
  history: HISTORY_DEFAULTS,
  composeProvider: undefined,
  debug: false,
};

type TextSetting = Exclude<
  keyof Settings,
  'debug' | 'healthLogEntries' | 'monitor' | 'network' | 'history' | 'composeProvider'
>;

/** Per setting: its key in the file, its environment variable, its flag, and the check of its value. */
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
 * The settings of this call: flags, else environment, else the configuration file, else defaults. An empty variable
 * counts as absent.
 *
 * The file is `$HEALTHCTL_TOML`, which must exist, or /etc/healthctl/healthctl.toml, which need not. Throws CONFIG
 * (USAGE for a flag) with the location of the wrong value.
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
    network: { ...DEFAULTS.network, ...file.network },
    monitor: { ...DEFAULTS.monitor, ...file.monitor },
    history: file.history ?? DEFAULTS.history,
    composeProvider: file.composeProvider,
    debug: flags.debug ?? file.debug ?? DEFAULTS.debug,
  };
}

interface ConfigFile {
  readonly texts: ReadonlyMap<TextSetting, string>;
  readonly debug?: boolean;
  readonly healthLogEntries?: number;
  readonly history?: HistorySettings;
  readonly composeProvider?: string;
  readonly network?: Partial<NetworkSettings>;
  readonly monitor?: Partial<MonitorSettings>;
}

async function readConfigFile(env: Environment): Promise<ConfigFile> {
  const path = configPathOf(env);
  let text: string;
  try {
    text = readPlainFile(path).toString('utf8');
  } catch (error) {
    const missing = errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
    if (missing && !env.HEALTHCTL_TOML) return { texts: new Map() };
    const reason = missing ? 'no such file' : errnoOf(error) === 'EACCES' ? 'permission denied' : messageOf(error);
    const message = error instanceof HealthctlError ? reason : `cannot read ${path}: ${reason}`;
    throw new HealthctlError('CONFIG', message, {
      cause: error,
      ...(env.HEALTHCTL_TOML ? { hint: 'it is named by $HEALTHCTL_TOML' } : {}),
    });
  }
  return parseConfig(text, path);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads a configuration file: known keys of the right type only. Throws CONFIG naming file, line and key. */
export async function parseConfig(text: string, path: string): Promise<ConfigFile> {
  const texts = new Map<TextSetting, string>();
  const others: Mutable<Pick<ConfigFile, 'debug' | 'healthLogEntries' | 'history' | 'composeProvider'>> = {};
  const network: Partial<Record<keyof NetworkSettings, string>> = {};
  const monitor: Partial<Record<keyof MonitorSettings, unknown>> = {};
  const values = Object.entries(await parseToml(text, path));
  const lineOf = linesOf(text);
  for (const [key, value] of values) {
    const locate: Locate = (...inside) => `${path}:${lineOf(key, ...inside)}`;
    const location = locate();
    const name = settingNames.find((candidate) => SETTINGS[candidate].key === key);
    const ofNetwork = NETWORK_SETTINGS.find((candidate) => candidate.key === key);
    const ofMonitor = MONITOR_SETTINGS.find((candidate) => candidate.key === key);
    if (key === 'debug') others.debug = checkBoolean(location, key, value);
    else if (key === 'health_log_entries') others.healthLogEntries = checkNumber(location, key, value, MAX_LOG_ENTRIES);
    else if (key === 'compose_provider') others.composeProvider = checkSetting(location, key, value, checkProgram);
    else if (key === 'history') others.history = checkHistory(location, key, value, locate);
    else if (ofNetwork) network[ofNetwork.name] = checkSetting(location, key, value, ofNetwork.check);
    else if (ofMonitor) monitor[ofMonitor.name] = await ofMonitor.check(location, key, value, locate);
    else if (name === undefined) throw unknownKey(location, key);
    else texts.set(name, checkSetting(location, key, value, SETTINGS[name].check));
  }
  return { texts, ...others, network, monitor: monitor as Partial<MonitorSettings> };
}

const NETWORK_SETTINGS: readonly {
  readonly name: keyof NetworkSettings;
  readonly key: string;
  readonly check: (value: string) => string;
}[] = [
  { name: 'defaultNetwork', key: 'network', check: checkNetworkName },
  { name: 'bridgeSubnet', key: 'bridge_subnet', check: checkSubnet },
  { name: 'cniBinDir', key: 'cni_bin_dir', check: checkDirectory },
];

const MONITOR_SETTINGS: readonly {
  readonly [Name in keyof MonitorSettings]: {
    readonly name: Name;
    readonly key: string;
    readonly check: CheckValue<MonitorSettings[Name]>;
  };
}[keyof MonitorSettings][] = [
  { name: 'autostart', key: 'autostart', check: checkBoolean },
  { name: 'scheduler', key: 'scheduler', check: wordOf('daemon', 'systemd') },
  { name: 'adopt', key: 'adopt', check: wordOf('auto', 'always', 'never') },
  { name: 'namespaces', key: 'watch_namespaces', check: checkNamespaces },
  { name: 'maxChecks', key: 'max_checks', check: (location, key, value) => checkNumber(location, key, value, 1000) },
  { name: 'idleTimeoutMs', key: 'idle_timeout', check: checkDuration },
  { name: 'hooks', key: 'hook', check: checkHooks },
  { name: 'exec', key: 'health_exec', check: wordOf('fresh', 'resident') },
  { name: 'socketGroup', key: 'socket_group', check: checkText },
  { name: 'metrics', key: 'metrics', check: checkMetrics },
  { name: 'page', key: 'page', check: checkPage },
  { name: 'dockerSocket', key: 'docker_socket', check: checkDockerSocket },
  { name: 'dockerTcp', key: 'docker_tcp', check: checkDockerTcp },
  {
    name: 'dockerNamespace',
    key: 'docker_namespace',
    check: (location, key, value) => checkSetting(location, key, value, checkIdentifier),
  },
];

const settingNames: readonly TextSetting[] = [
  'address',
  'namespace',
  'snapshotter',
  'runRoot',
  'dataRoot',
  'nerdctlDataRoot',
];

/** health.json is read as a whole each time, so it must not become a long history. */
const MAX_LOG_ENTRIES = 100;

function checkSetting(location: string, key: string, value: unknown, check: (text: string) => string): string {
  const text = checkText(location, key, value);
  return at('CONFIG', `${location}: ${key}`, () => check(text));
}

function checkNamespaces(location: string, key: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw wrongType(location, key, 'a list of strings', value);
  return value.map((name: unknown) => checkSetting(location, key, name, checkIdentifier));
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

function unknownKey(location: string, key: string): HealthctlError {
  const known = [
    ...settingNames.map((name) => SETTINGS[name].key),
    'health_log_entries',
    'history',
    'compose_provider',
    ...NETWORK_SETTINGS.map((setting) => setting.key),
    ...MONITOR_SETTINGS.map((setting) => setting.key),
    'debug',
  ].join(', ');
  return new HealthctlError('CONFIG', `${location}: unknown key ${JSON.stringify(key)}`, {
    hint: `known keys: ${known}`,
  });
}

/** Adds the location of a refused value. */
function at(code: 'USAGE' | 'CONFIG', location: string, check: () => string): string {
  try {
    return check();
  } catch (error) {
    throw new HealthctlError(code, `${location}: ${messageOf(error)}`, { cause: error });
  }
}

function checkAddress(value: string): string {
  const path = value.replace(/^unix:\/\//, '');
  if (path.startsWith('/')) return realSocketPath(path);
  const hint = /^[a-z]+:\/\//.test(path)
    ? 'containerd is reached over a unix socket only'
    : 'it must be an absolute path';
  throw new HealthctlError('CONFIG', `invalid containerd address ${JSON.stringify(value)}: ${hint}`);
}

function checkNetworkName(value: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value)) return value;
  throw new HealthctlError('CONFIG', `${JSON.stringify(value)} is no name of a network`);
}

function checkSubnet(value: string): string {
  if (parseBridgeSubnet(value)) return value;
  throw new HealthctlError('CONFIG', `${JSON.stringify(value)} must be a subnet of IPv4, like 10.80.0.0/24`);
}

/** An absolute path, or a name without a slash. */
function checkProgram(value: string): string {
  if (value !== '' && !value.includes('\0') && (value.startsWith('/') || !value.includes('/'))) return value;
  throw new HealthctlError('CONFIG', `${JSON.stringify(value)} must be an absolute path, or the name of a program`);
}

/** An absolute path, without `..`, doubled or trailing slashes: other paths are appended to it. */
function checkDirectory(value: string): string {
  if (!value.startsWith('/')) {
    throw new HealthctlError('CONFIG', `${JSON.stringify(value)} must be an absolute path`);
  }
  const path = resolve(value);
  // Node.js 20 never returns from creating a directory below /proc.
  if (/^\/(proc|sys)(\/|$)/.test(path)) {
    throw new HealthctlError('CONFIG', `${JSON.stringify(value)} is no place for files`);
  }
  return path;
}
