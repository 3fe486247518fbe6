import { isNativeType, type NativeTest, parseNativeTest } from './native-test.ts';

/** The health config: what is configured. Docker: api/types/container HealthConfig; merged as daemon/commit.go does. */

/**
 * A config as the user, an image or a label gave it: an absent field means "inherit, then default". Durations in
 * nanoseconds, as in Docker's JSON.
 */
export interface GivenHealthConfig {
  readonly test?: readonly string[];
  readonly intervalNs?: number;
  readonly timeoutNs?: number;
  readonly startPeriodNs?: number;
  readonly startIntervalNs?: number;
  readonly retries?: number;
  readonly onFailure?: OnFailure;
  /** Largest number of restarts in a row by `onFailure`; 0: no limit. */
  readonly maxRestarts?: number;
  readonly exec?: ExecMode;
  /** Whether to end processes that a check left behind. False switches it off where another source switched it on. */
  readonly reap?: boolean;
}

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

const SECOND_NS = 1e9;

/** From Docker: daemon/health.go, the constants at the top. */
const DEFAULTS = {
  intervalNs: 30 * SECOND_NS,
  timeoutNs: 30 * SECOND_NS,
  startPeriodNs: 0,
  /** The interval, if that is shorter: Docker 28 lets a start period delay the first check of a 1 s interval to 5 s. */
  startIntervalNs: 5 * SECOND_NS,
  retries: 3,
} as const;

/** Docker's smallest non-zero duration: api/types/container MinimumDuration. */
export const MINIMUM_DURATION_NS = 1e6;

/** The largest duration that survives both JavaScript's numbers and Go's int64. */
export const MAXIMUM_DURATION_NS = 9_223_372_036_854_775_000;

/** The kind of check that a config asks for. */
export type CheckKind =
  /** No test: there is no check. */
  | { readonly kind: 'none' }
  /** `["NONE"]`: switched off explicitly. */
  | { readonly kind: 'disabled' }
  /** An unknown form: there is no check, and a warning names the form. */
  | { readonly kind: 'unknown'; readonly type: string }
  /** A native check that cannot be parsed: there is no check, and a warning gives the reason. */
  | { readonly kind: 'malformed'; readonly type: string; readonly reason: string }
  /** `["CMD"]`: every check fails. */
  | { readonly kind: 'no-command' }
  | { readonly kind: 'exec'; readonly args: readonly string[] }
  /** healthctl itself makes the check, in the container's network. */
  | NativeTest;

/**
 * The kind of check of a test. `CMD-SHELL` is `/bin/sh -c` with each further item as a separate argument (Docker:
 * daemon/health.go getShell and cmdProbe.run; the image's SHELL is not used).
 */
export function checkKindOf(test: readonly string[] | undefined): CheckKind {
  const [type, ...rest] = test ?? [];
  switch (type) {
    case undefined:
      return { kind: 'none' };
    case 'NONE':
      return { kind: 'disabled' };
    case 'CMD':
      return rest.length === 0 ? { kind: 'no-command' } : { kind: 'exec', args: rest };
    case 'CMD-SHELL':
      return { kind: 'exec', args: ['/bin/sh', '-c', ...rest] };
    default:
      return isNativeType(type) ? nativeKindOf(type, rest) : { kind: 'unknown', type };
  }
}

function nativeKindOf(type: 'HTTP' | 'TCP' | 'GRPC', items: readonly string[]): CheckKind {
  const parsed = parseNativeTest(type, items);
  return parsed.kind === 'ok' ? parsed.value : { kind: 'malformed', type, reason: parsed.reason };
}

/** Whether the container has a check. */
export function isChecked(config: Pick<GivenHealthConfig, 'test'> | undefined): boolean {
  const { kind } = checkKindOf(config?.test);
  switch (kind) {
    case 'exec':
    case 'no-command':
    case 'http':
    case 'tcp':
    case 'grpc':
      return true;
    case 'none':
    case 'disabled':
    case 'unknown':
    case 'malformed':
      return false;
  }
}

export function isSameTest(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/**
 * Merges image and flags, field by field: a flag's value wins if it is not zero, otherwise the image's (Docker:
 * daemon/commit.go merge). Undefined if neither has a value.
 */
export function mergeHealthConfig(
  image: GivenHealthConfig | undefined,
  flags: GivenHealthConfig | undefined,
): GivenHealthConfig | undefined {
  if (!image && !flags) return undefined;
  const merged: { -readonly [K in keyof GivenHealthConfig]: GivenHealthConfig[K] } = {};
  const test = flags?.test?.length ? flags.test : image?.test;
  if (test?.length) merged.test = test;
  for (const field of ['intervalNs', 'timeoutNs', 'startPeriodNs', 'startIntervalNs', 'retries'] as const) {
    const value = flags?.[field] || image?.[field];
    if (value) merged[field] = value;
  }
  const onFailure = flags?.onFailure ?? image?.onFailure;
  const maxRestarts = flags?.maxRestarts ?? image?.maxRestarts;
  if (onFailure) merged.onFailure = onFailure;
  if (maxRestarts !== undefined) merged.maxRestarts = maxRestarts;
  const exec = flags?.exec ?? image?.exec;
  if (exec) merged.exec = exec;
  const reap = flags?.reap ?? image?.reap;
  if (reap !== undefined) merged.reap = reap;
  return merged;
}

/**
 * Applies the defaults. Durations below a millisecond, which only an image can bring, count as not given: otherwise
 * checks would follow each other without a pause.
 */
export function withDefaults(given: GivenHealthConfig): HealthConfig {
  const or = (value: number | undefined, fallback: number) =>
    value !== undefined && value >= MINIMUM_DURATION_NS ? value : fallback;
  const intervalNs = or(given.intervalNs, DEFAULTS.intervalNs);
  return {
    test: given.test ?? [],
    intervalNs,
    timeoutNs: or(given.timeoutNs, DEFAULTS.timeoutNs),
    startPeriodNs: or(given.startPeriodNs, DEFAULTS.startPeriodNs),
    startIntervalNs: or(given.startIntervalNs, Math.min(DEFAULTS.startIntervalNs, intervalNs)),
    retries: given.retries !== undefined && given.retries > 0 ? given.retries : DEFAULTS.retries,
    ...(given.onFailure && given.onFailure !== 'none' ? { onFailure: given.onFailure } : {}),
    ...(given.maxRestarts ? { maxRestarts: given.maxRestarts } : {}),
    ...(given.exec ? { exec: given.exec } : {}),
    ...(given.reap ? { reap: true as const } : {}),
  };
}
