import { isNativeType, type NativeTest, parseNativeTest } from './native-test.ts';

/** The health config: what was asked. Docker: api/types/container HealthConfig; merged as daemon/commit.go does. */

/** As the user, an image or a label gave it: an absent field means "inherit, then default". Durations in nanoseconds, as in Docker's JSON. */
export interface GivenHealthConfig {
  readonly test?: readonly string[];
  readonly intervalNs?: number;
  readonly timeoutNs?: number;
  readonly startPeriodNs?: number;
  readonly startIntervalNs?: number;
  readonly retries?: number;
  readonly onFailure?: OnFailure;
  /** Restarts in a row by `onFailure`; 0: no limit. */
  readonly maxRestarts?: number;
  readonly exec?: ExecMode;
  /** Whether what a check left behind is ended with it; false: switched off, where something else switched it on. */
  readonly reap?: boolean;
}

/** How a check's command is run: by an exec of its own each time, or by a shell that stays in the container. */
export const EXEC_MODES = ['fresh', 'resident'] as const;
export type ExecMode = (typeof EXEC_MODES)[number];

/** What is done to a container that becomes unhealthy: Podman's `--health-on-failure`. */
export const ON_FAILURE = ['none', 'kill', 'stop', 'restart'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** With the defaults applied: what a check goes by. */
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
  /** Absent: as the configuration of healthctl says. */
  readonly exec?: ExecMode;
  /** What a check left behind is ended with it. */
  readonly reap?: true;
}

const SECOND_NS = 1e9;

/** Docker: daemon/health.go, the constants at the top. */
const DEFAULTS = {
  intervalNs: 30 * SECOND_NS,
  timeoutNs: 30 * SECOND_NS,
  startPeriodNs: 0,
  /** Or the interval, when that is smaller: Docker 28 lets a start period delay the first check of a 1 s interval to 5 s. */
  startIntervalNs: 5 * SECOND_NS,
  retries: 3,
} as const;

/** Docker's smallest duration that is not zero: api/types/container MinimumDuration. */
export const MINIMUM_DURATION_NS = 1e6;

/** The largest duration that survives both JavaScript's numbers and Go's int64. */
export const MAXIMUM_DURATION_NS = 9_223_372_036_854_775_000;

/** How a config is to be understood. */
export type CheckKind =
  /** No test at all: there is no check. */
  | { readonly kind: 'none' }
  /** `["NONE"]`: switched off on purpose. */
  | { readonly kind: 'disabled' }
  /** A form that is not known: there is no check, and a warning names it. */
  | { readonly kind: 'unknown'; readonly type: string }
  /** A native check that cannot be understood: there is no check, and a warning says why. */
  | { readonly kind: 'malformed'; readonly type: string; readonly reason: string }
  /** `["CMD"]`: every check fails. */
  | { readonly kind: 'no-command' }
  | { readonly kind: 'exec'; readonly args: readonly string[] }
  /** Made by healthctl itself, in the container's network. */
  | NativeTest;

/**
 * What a test asks for. `CMD-SHELL` is `/bin/sh -c` and all further items as arguments of their own (Docker: daemon/health.go getShell and
 * cmdProbe.run; the image's SHELL is not used).
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

/** Whether checks are to be made at all. */
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
 * Image × flags, field by field: a flag's value wins when it is not zero, else the image's (Docker: daemon/commit.go merge).
 * Undefined when neither has anything.
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
 * The defaults at use. Durations below a millisecond, which only an image can bring, count as not given: a check would follow the other
 * without a rest.
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
