import {
  collectFields,
  FIELD_NAMES,
  type FieldName,
  type GivenHealthConfig,
  HEALTH_FIELDS,
  type HealthConfig,
} from './fields.ts';
import { isNativeType, type NativeTest, parseNativeTest } from './native-test.ts';

/** The health config: what is configured. Docker: api/types/container HealthConfig; merged as daemon/commit.go does. */

export type { ExecMode, GivenHealthConfig, HealthConfig, OnFailure } from './fields.ts';

/** The config that a check uses: the defaults are applied, the test is parsed. */
export interface CheckConfig extends HealthConfig {
  readonly kind: CheckKind;
}

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
  return isCheck(checkKindOf(config?.test));
}

function isCheck({ kind }: CheckKind): boolean {
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

/**
 * Merges image and flags, field by field: a flag's value wins, otherwise the image's. A zero of one of Docker's fields
 * counts as not given (Docker: daemon/commit.go merge). Undefined if neither has a value.
 */
export function mergeHealthConfig(
  image: GivenHealthConfig | undefined,
  flags: GivenHealthConfig | undefined,
): GivenHealthConfig | undefined {
  if (!image && !flags) return undefined;
  return collectFields(({ isDockers, isZero }, name) =>
    [flags?.[name], image?.[name]].find((value) => value !== undefined && !(isDockers && isZero(value))),
  );
}

/** Applies the defaults. */
export function withDefaults(given: GivenHealthConfig): HealthConfig {
  const config: { -readonly [K in FieldName]?: HealthConfig[K] } = {};
  const put = <K extends FieldName>(name: K): void => {
    const value = HEALTH_FIELDS[name].atUse(given[name], given);
    if (value !== undefined) config[name] = value;
  };
  for (const name of FIELD_NAMES) put(name);
  return config as HealthConfig; // the rows of required fields never give undefined
}

/** The config that checks use; undefined if there is nothing to check. */
export function checkConfigOf(given: GivenHealthConfig): CheckConfig | undefined {
  const kind = checkKindOf(given.test);
  return isCheck(kind) ? { ...withDefaults(given), kind } : undefined;
}

/** Whether a worker that uses one of them can go on with the other as if nothing had changed. */
export function isSameConfig(a: HealthConfig, b: HealthConfig): boolean {
  const isSame = <K extends FieldName>(name: K): boolean => HEALTH_FIELDS[name].isSame(a[name], b[name]);
  return FIELD_NAMES.every((name) => isSame(name));
}
