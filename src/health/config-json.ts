import { goField } from '../lib/go-fields.ts';
import { EXEC_MODES, type GivenHealthConfig, MAXIMUM_DURATION_NS, ON_FAILURE } from './config.ts';

/** The health config that a JSON value contains. */
export type ParsedHealthConfig =
  | { readonly kind: 'absent' }
  | { readonly kind: 'config'; readonly config: GivenHealthConfig }
  /** @see reason one clause that names the field and its value */
  | { readonly kind: 'malformed'; readonly reason: string };

const KEYS = {
  Interval: 'intervalNs',
  Timeout: 'timeoutNs',
  StartPeriod: 'startPeriodNs',
  StartInterval: 'startIntervalNs',
  Retries: 'retries',
} as const;

/** Go's decoder refuses a config with more than an int64 holds. Its largest, 2^63 - 1, is read as 2^63. */
const INT64_LIMIT = 2 ** 63;

/** Docker's key order, which is the order of its Go struct. */
const ORDER = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'] as const;

/**
 * Reads the value of `config.Healthcheck` or of a label, with keys in any case, as Docker and nerdctl do. Never throws:
 * an image may contain anything there.
 */
export function parseHealthConfig(value: unknown): ParsedHealthConfig {
  if (value === undefined || value === null) return { kind: 'absent' };
  if (typeof value !== 'object' || Array.isArray(value))
    return { kind: 'malformed', reason: `it is not an object: ${shown(value)}` };
  const field = (key: string): unknown => goField(value as Readonly<Record<string, unknown>>, key);
  const config: { -readonly [K in keyof GivenHealthConfig]: GivenHealthConfig[K] } = {};
  const test = field('Test');
  if (test !== undefined) {
    if (!Array.isArray(test) || !test.every((item) => typeof item === 'string')) {
      return { kind: 'malformed', reason: `Test is not a list of strings: ${shown(test)}` };
    }
    if (test.length > 0) config.test = test;
  }
  for (const key of ORDER) {
    const number = field(key);
    if (number === undefined || number === 0) continue;
    if (typeof number !== 'number' || !Number.isInteger(number))
      return { kind: 'malformed', reason: `${key} is not a whole number: ${shown(number)}` };
    if (Math.abs(number) > INT64_LIMIT)
      return { kind: 'malformed', reason: `${key} is beyond 64 bits: ${shown(number)}` };
    config[KEYS[key]] = Math.min(number, MAXIMUM_DURATION_NS);
  }
  const [OnFailure, MaxRestarts, Exec] = [field('OnFailure'), field('MaxRestarts'), field('Exec')];
  const Reap = field('Reap');
  const exec = EXEC_MODES.find((known) => known === Exec);
  if (Exec !== undefined && exec === undefined)
    return { kind: 'malformed', reason: `Exec is not one of ${EXEC_MODES.join(', ')}: ${shown(Exec)}` };
  if (exec) config.exec = exec;
  if (Reap !== undefined && typeof Reap !== 'boolean')
    return { kind: 'malformed', reason: `Reap is neither true nor false: ${shown(Reap)}` };
  if (Reap) config.reap = true;
  const onFailure = ON_FAILURE.find((known) => known === OnFailure);
  if (OnFailure !== undefined && onFailure === undefined)
    return { kind: 'malformed', reason: `OnFailure is not one of ${ON_FAILURE.join(', ')}: ${shown(OnFailure)}` };
  if (onFailure) config.onFailure = onFailure;
  if (MaxRestarts !== undefined) {
    if (!Number.isSafeInteger(MaxRestarts) || Number(MaxRestarts) < 0)
      return { kind: 'malformed', reason: `MaxRestarts is not a whole number: ${shown(MaxRestarts)}` };
    config.maxRestarts = Number(MaxRestarts);
  }
  return { kind: 'config', config };
}

/** Like `parseHealthConfig`, from the text of a label. */
export function parseHealthConfigText(text: string): ParsedHealthConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'malformed', reason: `it is not JSON: ${shown(text)}` };
  }
  return parseHealthConfig(value);
}

/** Docker's JSON form plus our own keys: in Docker's order, without zero values, durations in nanoseconds. */
export function jsonFromHealthConfig(config: GivenHealthConfig): Record<string, unknown> {
  const json = dockerJsonFromHealthConfig(config);
  if (config.onFailure && config.onFailure !== 'none') json.OnFailure = config.onFailure;
  if (config.maxRestarts) json.MaxRestarts = config.maxRestarts;
  if (config.exec) json.Exec = config.exec;
  if (config.reap) json.Reap = true;
  return json;
}

/** The part of a config that Docker and nerdctl know: the test and its times. */
export function dockerPartOf({
  test,
  intervalNs,
  timeoutNs,
  startPeriodNs,
  startIntervalNs,
  retries,
}: GivenHealthConfig): GivenHealthConfig {
  const known = { test, intervalNs, timeoutNs, startPeriodNs, startIntervalNs, retries };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

/** Like `dockerPartOf`, as JSON. */
export function dockerJsonFromHealthConfig(config: GivenHealthConfig): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  if (config.test?.length) json.Test = [...config.test];
  for (const key of ORDER) {
    const value = config[KEYS[key]];
    if (value) json[key] = value;
  }
  return json;
}

/** A short text of a value, for a message. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
