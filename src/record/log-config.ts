import { HealthctlError } from '../lib/errors.ts';
import { objectIn, textMapIn } from '../lib/shape.ts';
import { logAttributesFrom } from './log-attributes.ts';

/** The handling of a container's output. */
export interface LogConfig {
  readonly driver: 'json-file' | 'local' | 'none';
  /** As given: `max-size` → `10m`. */
  readonly options: Readonly<Record<string, string>>;
  /** Whether json-file was given explicitly: then the output is also written in Docker's json-file format. */
  readonly isJson?: true;
}

/** How much to keep. */
export interface LogLimit {
  /** Bytes per file, as for Docker's json-file. */
  readonly maxSize: number;
  /** Number of files. */
  readonly maxFile: number;
}

/** Options without a meaning here are accepted and shown too (moby: daemon/logger/jsonfilelog and local). */
const DRIVERS: Readonly<Record<string, { readonly options: readonly string[]; readonly called: string }>> = {
  'json-file': {
    options: ['max-file', 'max-size', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'],
    called: 'json-file log driver',
  },
  local: { options: ['max-file', 'max-size', 'compress'], called: 'log driver local' },
};
/** What Docker's driver `local` keeps. */
const LOCAL_LIMIT: LogLimit = { maxSize: 20_000_000, maxFile: 5 };
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 };

/**
 * Validates `--log-driver` and `--log-opt`.
 *
 * @param options `key=value`; the last of a key counts
 * @throws USAGE and INVALID in Docker's words
 */
export function parseLogConfig(driver: string, options: readonly string[]): LogConfig {
  const given = Object.fromEntries(
    options.map((text) => {
      const equals = text.indexOf('=');
      if (equals < 0) throw new HealthctlError('USAGE', `invalid logging option format: ${text}`);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
  if (driver === 'none') {
    if (options.length > 0) throw new HealthctlError('USAGE', 'invalid logging opts for driver none');
    return { driver, options: {} };
  }
  const known = Object.hasOwn(DRIVERS, driver || 'json-file') ? DRIVERS[driver || 'json-file'] : undefined;
  if (!known)
    throw new HealthctlError('INVALID', `error looking up logging plugin ${driver}: plugin "${driver}" not found`, {
      hint: 'the drivers are json-file, local and none',
    });
  const unknown = Object.keys(given).find((key) => !known.options.includes(key));
  if (unknown !== undefined) throw new HealthctlError('INVALID', `unknown log opt '${unknown}' for ${known.called}`);
  const config: LogConfig = { driver: driver === 'local' ? driver : 'json-file', options: given };
  limitFrom(config);
  logAttributesFrom(given, { labels: {}, env: [] });
  return driver === 'json-file' ? { ...config, isJson: true } : config;
}

/** Undefined without a limit. Throws INVALID in the words of moby's json-file driver. */
function limitFrom({ driver, options }: LogConfig): LogLimit | undefined {
  const { 'max-size': size, 'max-file': files } = options;
  const unset = driver === 'local' ? LOCAL_LIMIT : undefined;
  const maxFile = files === undefined ? (unset?.maxFile ?? 1) : parseCount(files);
  if (maxFile < 1) throw invalid('max-file cannot be less than 1');
  if (size === undefined) return unset && { ...unset, maxFile };
  const maxSize = parseHumanSize(size);
  if (maxSize <= 0) throw invalid('max-size must be a positive number');
  return { maxSize, maxFile };
}

/** The limit in a config; none if it does not parse because another tool wrote it. */
export function logLimitOf(config: LogConfig): LogLimit | undefined {
  try {
    return limitFrom(config);
  } catch {
    return undefined;
  }
}

/** Parses `HostConfig.LogConfig` as `inspect` shows it. A missing one, or one of an earlier version, is json-file. */
export function logConfigOf(hostConfig: Readonly<Record<string, unknown>>): LogConfig {
  const { Type: type, Config: config } = objectIn(hostConfig.LogConfig);
  if (type === 'none') return { driver: 'none', options: {} };
  return { driver: type === 'local' ? type : 'json-file', options: textMapIn(config) };
}

function parseCount(text: string): number {
  if (/^[+-]?\d{1,9}$/.test(text)) return Number(text);
  throw invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** In powers of 1000, like go-units' FromHumanSize: `10m`, `1.5k`, `512kb`. */
function parseHumanSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (digits === '' || !Number.isSafeInteger(bytes)) throw invalid(`invalid size: '${text}'`);
  return bytes;
}

const invalid = (message: string): HealthctlError => new HealthctlError('INVALID', message);
