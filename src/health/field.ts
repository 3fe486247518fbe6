import { HealthctlError } from '../lib/errors.ts';
import { malformed, ok, type Parsed } from './parsed.ts';

/** One field of a health config, with everything that distinguishes it from the others: a row of `HEALTH_FIELDS`. */
export interface Field<Value, Used> {
  /** Docker's JSON key, or ours. */
  readonly key: string;
  /**
   * Docker and nerdctl know the field too. The zero of such a field inherits, because Go cannot tell it from an absent
   * one; a zero of our own fields is a value.
   */
  readonly isDockers: boolean;
  /** Zero values are not written. */
  isZero(value: Value): boolean;
  /** Reads the JSON value, which is neither undefined nor null; a value of undefined counts as not given. */
  parse(json: unknown): Parsed<Value | undefined>;
  /** The value that a check uses, with the default applied. */
  atUse(value: Value | undefined, given: { readonly intervalNs?: number }): Used;
  /** Whether a worker can continue with the other value. */
  isSame(a: Used, b: Used): boolean;
}

/** The option that sets a field. `Flag` is the type of its value on the command line. */
interface FieldOption<Value, Flag> {
  /** Without dashes. */
  readonly name: string;
  readonly type: 'duration' | 'int' | 'string' | 'bool';
  readonly help: string;
  /** Options are validated in this order: the order of Docker's command line, then ours. */
  readonly turn: number;
  /** Undefined when it was not given. */
  read(options: OptionReader): Flag | undefined;
  /** Throws INVALID for what the command line refuses. */
  refuse(flag: Flag): void;
  /** Throws INVALID for what Docker's daemon refuses, after the command line accepted all options. */
  refuseAtDaemon?(flag: Flag): void;
  valueOf(flag: Flag): Value | undefined;
}

/** The parsed command line, as far as fields need it. */
export interface OptionReader {
  string(name: string): string | undefined;
  int(name: string): number | undefined;
  /** Nanoseconds. */
  duration(name: string): bigint | undefined;
  bool(name: string): boolean;
  given(name: string): boolean;
}

export interface OptionField<Value, Flag, Used> extends Field<Value, Used> {
  readonly option: FieldOption<Value, Flag>;
}

/** What each row says of its option. */
interface GivenOption {
  readonly name: string;
  readonly help: string;
  readonly turn: number;
}

/** Docker's smallest non-zero duration: api/types/container MinimumDuration. */
export const MINIMUM_DURATION_NS = 1e6;

/** The largest duration that survives both JavaScript's numbers and Go's int64. */
const MAXIMUM_DURATION_NS = 9_223_372_036_854_775_000;

/** Go's decoder refuses a config with more than an int64 holds. Its largest, 2^63 - 1, is read as 2^63. */
const INT64_LIMIT = 2 ** 63;

/**
 * Docker's CLI exits with 125. A value that only its daemon refuses ends `create` with 1 and `run` with 125
 * (docker/cli: cli/command/container/{create,run}.go).
 */
export const CLIENT_REFUSES = 125;

const isZero = (value: unknown): boolean => !value;
const isSame = (a: unknown, b: unknown): boolean => a === b;

/** A duration in nanoseconds. */
export function durationField(row: {
  readonly key: string;
  readonly option: GivenOption;
  readonly byDefault: (given: { readonly intervalNs?: number }) => number;
}): OptionField<number, bigint, number> {
  const { key, option, byDefault } = row;
  return {
    ...{ key, isDockers: true, isZero, isSame },
    parse: (json) => parseInt64(key, json),
    atUse: (value, given) => longEnough(value) ?? byDefault(given),
    option: {
      ...option,
      type: 'duration',
      read: (options) => options.duration(option.name),
      refuse: (flag) => refuseNegative(option.name, flag),
      refuseAtDaemon: (flag) => {
        if (flag && flag < MINIMUM_DURATION_NS)
          throw new HealthctlError('INVALID', `${key} in Healthcheck cannot be less than 1ms`);
      },
      valueOf: (flag) => Math.min(Number(flag), MAXIMUM_DURATION_NS),
    },
  };
}

/**
 * Durations below a millisecond, which only an image can bring, count as not given: otherwise checks would follow each
 * other without a pause.
 */
export function longEnough(ns: number | undefined): number | undefined {
  return ns !== undefined && ns >= MINIMUM_DURATION_NS ? ns : undefined;
}

/** A number that Docker knows too; zero and less count as not given. */
export function countField(row: {
  readonly key: string;
  readonly option: GivenOption;
  readonly byDefault: number;
}): OptionField<number, number, number> {
  const { key, option, byDefault } = row;
  return {
    ...{ key, isDockers: true, isZero, isSame },
    parse: (json) => parseInt64(key, json),
    atUse: (value) => (value !== undefined && value > 0 ? value : byDefault),
    option: intOption(option),
  };
}

/** A number of our own; absent and zero mean that there is no limit. */
export function limitField(row: {
  readonly key: string;
  readonly option: GivenOption;
}): OptionField<number, number, number | undefined> {
  const { key, option } = row;
  return {
    ...{ key, isDockers: false, isZero, isSame },
    parse: (json) =>
      typeof json === 'number' && Number.isSafeInteger(json) && json >= 0
        ? ok(json)
        : malformed(`${key} is not a whole number: ${shown(json)}`),
    atUse: (value) => value || undefined,
    option: intOption(option),
  };
}

/** One of a few words, of our own. @param row.zero the word that means the same as none */
export function wordField<Word extends string>(row: {
  readonly key: string;
  readonly option: GivenOption;
  readonly words: readonly Word[];
  readonly zero?: Word;
}): OptionField<Word, string, Word | undefined> {
  const { key, option, words, zero } = row;
  const find = (given: unknown) => words.find((known) => known === given);
  return {
    ...{ key, isDockers: false, isSame },
    isZero: (value) => value === zero,
    parse: (json) => {
      const word = find(json);
      return word === undefined ? malformed(`${key} is not one of ${words.join(', ')}: ${shown(json)}`) : ok(word);
    },
    atUse: (value) => (value === zero ? undefined : value),
    option: {
      ...option,
      type: 'string',
      read: (options) => options.string(option.name),
      refuse: (flag) => {
        if (find(flag) === undefined) throw refused(`--${option.name} must be one of ${words.join(', ')}`);
      },
      valueOf: find,
    },
  };
}

/** A switch of our own. The option can also say false, against what the config says. */
export function switchField(row: {
  readonly key: string;
  readonly option: GivenOption;
}): OptionField<boolean, boolean, true | undefined> {
  const { key, option } = row;
  return {
    ...{ key, isDockers: false, isZero, isSame },
    parse: (json) =>
      typeof json === 'boolean' ? ok(json || undefined) : malformed(`${key} is neither true nor false: ${shown(json)}`),
    atUse: (value) => value || undefined,
    option: {
      ...option,
      type: 'bool',
      read: (options) => (options.given(option.name) ? options.bool(option.name) : undefined),
      refuse: () => {},
      valueOf: (flag) => flag,
    },
  };
}

const intOption = (option: GivenOption): FieldOption<number, number> => ({
  ...option,
  type: 'int',
  read: (options) => options.int(option.name),
  refuse: (flag) => refuseNegative(option.name, flag),
  valueOf: (flag) => flag,
});

/** Docker's numbers are int64. */
function parseInt64(key: string, json: unknown): Parsed<number | undefined> {
  if (typeof json !== 'number' || !Number.isInteger(json))
    return malformed(`${key} is not a whole number: ${shown(json)}`);
  if (Math.abs(json) > INT64_LIMIT) return malformed(`${key} is beyond 64 bits: ${shown(json)}`);
  return ok(json === 0 ? undefined : Math.min(json, MAXIMUM_DURATION_NS));
}

function refuseNegative(name: string, value: bigint | number): void {
  if (value < 0) throw refused(`--${name} cannot be negative`);
}

const refused = (message: string): HealthctlError =>
  new HealthctlError('INVALID', message, { exitCode: CLIENT_REFUSES });

/** A short text of a value, for a message. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
