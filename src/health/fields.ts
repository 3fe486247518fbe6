import {
  countField,
  durationField,
  type Field,
  limitField,
  longEnough,
  type OptionField,
  type OptionReader,
  shown,
  switchField,
  wordField,
} from './field.ts';
import { malformed, ok } from './parsed.ts';

// The fields of a health config, as the rows of one table. Code that handles every field iterates over the table.

/** The fields and their types. Durations in nanoseconds, as in Docker's JSON. `HEALTH_FIELDS` has a row for each. */
interface FieldValues {
  readonly test: readonly string[];
  readonly intervalNs: number;
  readonly timeoutNs: number;
  readonly startPeriodNs: number;
  readonly startIntervalNs: number;
  readonly retries: number;
  readonly onFailure: OnFailure;
  /** Largest number of restarts in a row by `onFailure`; 0: no limit. */
  readonly maxRestarts: number;
  readonly exec: ExecMode;
  /** Whether to end processes that a check left behind. False switches it off where another source switched it on. */
  readonly reap: boolean;
}

export type FieldName = keyof FieldValues;

/** A config as the user, an image or a label gave it: an absent field means "inherit, then default". */
export type GivenHealthConfig = { readonly [K in FieldName]?: FieldValues[K] };

/** How to run a check's command: in a new exec each time, or in a shell that stays in the container. */
export const EXEC_MODES = ['fresh', 'resident'] as const;
export type ExecMode = (typeof EXEC_MODES)[number];

/** What to do with a container that becomes unhealthy: Podman's `--health-on-failure`. */
export const ON_FAILURE = ['none', 'kill', 'stop', 'restart'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** A config with the defaults applied: the settings of a check. */
export interface HealthConfig {
  readonly test: readonly string[];
  readonly intervalNs: number;
  readonly timeoutNs: number;
  readonly startPeriodNs: number;
  readonly startIntervalNs: number;
  readonly retries: number;
  /** Absent: `none`. */
  readonly onFailure?: OnFailure;
  readonly maxRestarts?: number;
  /** Absent: the value in healthctl's configuration. */
  readonly exec?: ExecMode;
  /** Present: processes that a check left behind are ended. */
  readonly reap?: true;
}

/** The test has several options of its own: see flags.ts. */
type OptionFieldName = Exclude<FieldName, 'test'>;

/** On the command line: durations are bigints, and words are not yet known to be right. */
type FlagOf<K extends OptionFieldName> = K extends `${string}Ns`
  ? bigint
  : FieldValues[K] extends string
    ? string
    : FieldValues[K];

type FlagValues = { readonly [K in OptionFieldName]: FlagOf<K> };

/** The options of the fields as given. */
export type FieldFlags = { readonly [K in OptionFieldName]?: FlagValues[K] };

type FieldRow<K extends FieldName> = Field<FieldValues[K], HealthConfig[K]>;
type OptionFieldRow<K extends OptionFieldName> = OptionField<FieldValues[K], FlagValues[K], HealthConfig[K]>;

const SECOND_NS = 1e9;
/** From Docker: daemon/health.go, the constants at the top. */
const INTERVAL_NS = 30 * SECOND_NS;
const TIMEOUT_NS = 30 * SECOND_NS;
const START_INTERVAL_NS = 5 * SECOND_NS;
const RETRIES = 3;

/**
 * All fields with an option of their own, in the order of Docker's struct, then ours: the order in which they are read
 * and written.
 */
export const OPTION_FIELDS: { readonly [K in OptionFieldName]: OptionFieldRow<K> } = {
  intervalNs: durationField({
    key: 'Interval',
    option: {
      name: 'health-interval',
      help: 'Time from one check to the next (ms|s|m|h) (30s unless the image says)',
      turn: 1,
    },
    byDefault: () => INTERVAL_NS,
  }),
  timeoutNs: durationField({
    key: 'Timeout',
    option: {
      name: 'health-timeout',
      help: 'How long one check may take (ms|s|m|h) (30s unless the image says)',
      turn: 2,
    },
    byDefault: () => TIMEOUT_NS,
  }),
  startPeriodNs: durationField({
    key: 'StartPeriod',
    option: {
      name: 'health-start-period',
      help: 'Time after the start in which failures do not count (ms|s|m|h) (0s unless the image says)',
      turn: 4,
    },
    byDefault: () => 0,
  }),
  startIntervalNs: durationField({
    key: 'StartInterval',
    option: {
      name: 'health-start-interval',
      help: 'Time from one check to the next during the start period (ms|s|m|h) (the smaller of 5s and the interval unless the image says)',
      turn: 5,
    },
    // Docker 28 lets a start period delay the first check of a 1 s interval to 5 s.
    byDefault: ({ intervalNs }) => Math.min(START_INTERVAL_NS, longEnough(intervalNs) ?? INTERVAL_NS),
  }),
  retries: countField({
    key: 'Retries',
    option: {
      name: 'health-retries',
      help: 'Failures in a row that make the container unhealthy (3 unless the image says)',
      turn: 3,
    },
    byDefault: RETRIES,
  }),
  onFailure: {
    ...wordField({
      key: 'OnFailure',
      option: {
        name: 'health-on-failure',
        help: 'What to do when the container becomes unhealthy: none, kill, stop, restart (none unless given)',
        turn: 7,
      },
      words: ON_FAILURE,
      zero: 'none',
    }),
    isSame: () => true, // the supervisor reads it when it acts
  },
  maxRestarts: {
    ...limitField({
      key: 'MaxRestarts',
      option: {
        name: 'health-max-restarts',
        help: 'Restarts in a row by --health-on-failure restart; 0 sets no limit',
        turn: 6,
      },
    }),
    isSame: () => true, // likewise
  },
  exec: wordField({
    key: 'Exec',
    option: {
      name: 'health-exec',
      help: 'How the command runs: fresh, an exec each time, or resident, in a shell that stays (fresh unless configured)',
      turn: 8,
    },
    words: EXEC_MODES,
  }),
  reap: switchField({
    key: 'Reap',
    option: {
      name: 'health-reap',
      help: 'Kill the processes that the command left behind, when it ends or times out',
      turn: 9,
    },
  }),
};

/** All fields of a health config. */
export const HEALTH_FIELDS: { readonly [K in FieldName]: FieldRow<K> } = {
  test: {
    key: 'Test',
    isDockers: true,
    isZero: (test) => test.length === 0,
    parse: (json) => {
      if (!Array.isArray(json) || !json.every((item) => typeof item === 'string'))
        return malformed(`Test is not a list of strings: ${shown(json)}`);
      return ok(json.length > 0 ? json : undefined);
    },
    atUse: (test) => test ?? [],
    isSame: isSameTest,
  },
  ...OPTION_FIELDS,
};

const isFieldName = (name: string): name is FieldName => name in HEALTH_FIELDS;
const isOptionFieldName = (name: string): name is OptionFieldName => name in OPTION_FIELDS;

export const FIELD_NAMES: readonly FieldName[] = Object.keys(HEALTH_FIELDS).filter(isFieldName);
export const OPTION_FIELD_NAMES: readonly OptionFieldName[] = FIELD_NAMES.filter(isOptionFieldName);

/** Calls `visit` with each row and the config's value of it, where there is one. */
export function eachField(
  config: GivenHealthConfig,
  visit: <K extends FieldName>(row: FieldRow<K>, value: FieldValues[K]) => void,
): void {
  const call = <K extends FieldName>(name: K): void => {
    const value = config[name];
    if (value !== undefined) visit<K>(HEALTH_FIELDS[name], value);
  };
  for (const name of FIELD_NAMES) call(name);
}

/** The config with the value that `pick` returns for each field; undefined leaves the field out. */
export function collectFields(
  pick: <K extends FieldName>(row: FieldRow<K>, name: K) => FieldValues[K] | undefined,
): GivenHealthConfig {
  const config: { -readonly [K in FieldName]?: FieldValues[K] } = {};
  const put = <K extends FieldName>(name: K): void => {
    const value = pick<K>(HEALTH_FIELDS[name], name);
    if (value !== undefined) config[name] = value;
  };
  for (const name of FIELD_NAMES) put(name);
  return config;
}

export function isSameTest(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** The options of the fields as given on the command line. */
export function readFieldFlags(options: OptionReader): FieldFlags {
  const flags: { -readonly [K in OptionFieldName]?: FlagValues[K] } = {};
  const put = <K extends OptionFieldName>(name: K): void => {
    const flag = OPTION_FIELDS[name].option.read(options);
    if (flag !== undefined) flags[name] = flag;
  };
  for (const name of OPTION_FIELD_NAMES) put(name);
  return flags;
}
