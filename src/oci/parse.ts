import { quote } from '../go/quote.ts';
import { parseBool } from '../go/values.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { Rlimit, Uint64 } from './types.ts';

// Parsers of the values of flags. Errors are USAGE with Docker's texts, without `invalid argument … for … flag: `,
// which the command line adds.

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/**
 * Bytes, as `--memory` and `--shm-size` take them: `512m`, `1.5g`, `64MiB`, `64 mb`, `1024`; every unit is binary
 * (docker/go-units RAMInBytes). Parts of a byte are cut off.
 */
export function parseSize(text: string): number {
  const [, number, rawSuffix = ''] = /^(.*[0-9. ])([^0-9. ]*)$/s.exec(text) ?? [];
  if (number === undefined) throw usage(`invalid size: '${text}'`);
  const digits = number.endsWith(' ') ? number.slice(0, -1) : number;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits)) {
    throw usage(`strconv.ParseFloat: parsing ${quote(digits)}: invalid syntax`);
  }
  const size = Number(digits);
  if (size < 0) throw usage(`invalid size: '${text}'`);
  const suffix = rawSuffix.toLowerCase();
  const { unit } = /^(?<unit>[kmgtp]?)(?:i?b)?$/.exec(suffix)?.groups ?? {};
  if (unit === undefined || suffix === 'ib') throw usage(`invalid suffix: '${suffix}'`);
  const bytes = Math.floor(size * (UNITS[unit] ?? 1));
  if (!Number.isSafeInteger(bytes)) throw usage(`invalid size: '${text}'`);
  return bytes;
}

const MAX_RATIONAL_DIGITS = 40;

/** `--cpus` in billionths of a CPU: `1.5`, `.5`, `1/2`, `15e-1` (docker/cli opts.ParseCPUs). */
export function parseCpus(text: string): number {
  const fraction = /^([+-]?\d+)\/(\d+)$/.exec(text);
  const decimal = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,2}))?$/i.exec(text);
  const isRational = text.length <= MAX_RATIONAL_DIGITS && /\d/.test(text) && !/^[+-]?\.?e/i.test(text);
  if (!isRational || (fraction === null && decimal === null)) {
    throw usage(`failed to parse ${text} as a rational number`);
  }
  const [numerator, denominator] = fraction === null ? decimalParts(decimal) : fractionParts(fraction);
  if (denominator === 0n) throw usage(`failed to parse ${text} as a rational number`);
  const nano = numerator * 1_000_000_000n;
  if (nano % denominator !== 0n) throw usage('value is too precise');
  const cpus = Number(nano / denominator);
  if (!Number.isSafeInteger(cpus)) throw usage(`failed to parse ${text} as a rational number`);
  return cpus;
}

function fractionParts([, numerator = '', denominator = '']: readonly string[]): readonly [bigint, bigint] {
  return [BigInt(numerator.replace('+', '')), BigInt(denominator)];
}

function decimalParts(match: readonly (string | undefined)[] | null): readonly [bigint, bigint] {
  const [, sign = '', whole = '', part = '', exponentText = '0'] = match ?? [];
  const exponent = Number(exponentText) - part.length;
  const value = BigInt(`${whole}${part}`) * (sign === '-' ? -1n : 1n);
  return exponent >= 0 ? [value * 10n ** BigInt(exponent), 1n] : [value, 10n ** BigInt(-exponent)];
}

export const ULIMIT_NAMES: readonly string[] =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ');

/** `--ulimit NAME=SOFT[:HARD]`, -1 for unlimited (docker/go-units ParseUlimit). */
export function parseUlimit(text: string): Rlimit {
  const equals = text.indexOf('=');
  if (equals === -1) throw usage(`invalid ulimit argument: ${text}`);
  const [name, limits] = [text.slice(0, equals), text.slice(equals + 1)];
  if (!ULIMIT_NAMES.includes(name)) throw usage(`invalid ulimit type: ${name}`);
  const [softText = '', hardText, ...more] = limits.split(':');
  if (more.length > 0) {
    throw usage(`too many limit value arguments - ${limits}, can only have up to two, \`soft[:hard]\``);
  }
  const hard = hardText === undefined ? undefined : parseInt64(hardText);
  const soft = parseInt64(softText);
  checkUlimit(soft, hard ?? soft);
  return { type: `RLIMIT_${name.toUpperCase()}`, soft: unsigned(soft), hard: unsigned(hard ?? soft) };
}

function checkUlimit(soft: bigint, hard: bigint): void {
  const rule = 'ulimit soft limit must be less than or equal to hard limit';
  if (hard === -1n) return;
  if (soft === -1n) throw usage(`${rule}: soft: -1 (unlimited), hard: ${hard}`);
  if (soft > hard) throw usage(`${rule}: ${soft} > ${hard}`);
}

function unsigned(value: bigint): Uint64 {
  const bits = BigInt.asUintN(64, value);
  const number = Number(bits);
  return Number.isSafeInteger(number) ? number : bits;
}

function parseInt64(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw usage(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
  // Checks the length first: BigInt of a megabyte of digits would take minutes.
  const isLong = text.replace(/^[+-]?0*/, '').length > 19;
  const value = isLong ? MAX_INT64 + 1n : BigInt(text.replace('+', ''));
  if (value > MAX_INT64 || value < MIN_INT64) {
    throw usage(`strconv.ParseInt: parsing ${quote(text)}: value out of range`);
  }
  return value;
}

/**
 * `-e NAME[=value]`. Without a value, the caller's own is used; if there is none, the name stays alone, which removes
 * the variable (docker/cli opts.ValidateEnv).
 */
export function parseEnv(text: string, callersEnv: Readonly<Record<string, string | undefined>>): string {
  const [name = ''] = text.split('=', 1);
  if (name === '') throw usage(`invalid environment variable: ${text}`);
  if (text.includes('\0')) throw usage(`invalid environment variable: ${quote(text)}`);
  const own = Object.hasOwn(callersEnv, name) ? callersEnv[name] : undefined;
  return text.includes('=') || own === undefined ? text : `${name}=${own}`;
}

/** `-l KEY[=value]` to key and value, the value empty where there is none (docker/cli opts.ValidateLabel). */
export function parseLabel(text: string): readonly [key: string, value: string] {
  const [name = ''] = text.split('=', 1);
  const key = name.replace(/^[ \t]+/, '');
  if (key === '') throw usage(`invalid label '${text}': empty name`);
  if (/[ \t]/.test(key)) throw usage(`label '${key}' contains whitespaces`);
  return [name, text.slice(name.length + 1)];
}

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** Whether the container may write into its cgroup; absent: if it is privileged. */
  readonly writableCgroups?: boolean;
  /** `unconfined`, or the path of a profile; undefined for the default. */
  readonly seccomp: string | undefined;
  /** Content of that profile, once read. */
  readonly seccompProfile?: string;
  /** `unconfined`, or the name of a profile that the kernel has; undefined for the default. */
  readonly apparmor: string | undefined;
}

/**
 * All `--security-opt` values, the last one of a kind wins: `no-new-privileges[=BOOL]`, `writable-cgroups[=BOOL]`,
 * `seccomp=FILE|unconfined|builtin`, `apparmor=NAME|unconfined`; `:` for `=` too.
 */
export function parseSecurityOptions(texts: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let writableCgroups: boolean | undefined;
  let seccomp: string | undefined;
  let apparmor: string | undefined;
  for (const text of texts) {
    const [, name = text, value] = /^([^=:]*)[=:](.*)$/s.exec(text) ?? [];
    if (name === 'no-new-privileges') {
      noNewPrivileges = switchIn(text, value);
    } else if (name === 'writable-cgroups') {
      writableCgroups = switchIn(text, value);
    } else if (name === 'seccomp' && value) {
      seccomp = value === 'builtin' ? undefined : value;
    } else if (name === 'apparmor' && value) {
      apparmor = value;
    } else {
      throw new HealthctlError('USAGE', `invalid --security-opt ${value === undefined ? 1 : 2}: ${quote(text)}`, {
        hint: 'no-new-privileges, writable-cgroups, seccomp=FILE|unconfined and apparmor=NAME|unconfined are supported',
      });
    }
  }
  return { noNewPrivileges, seccomp, apparmor, ...(writableCgroups === undefined ? {} : { writableCgroups }) };
}

/** Given without a value it is on. Throws USAGE for a value that Go does not read as a bool. */
function switchIn(text: string, value: string | undefined): boolean {
  if (value === undefined) return true;
  try {
    return parseBool(value);
  } catch (cause) {
    throw new HealthctlError('USAGE', `invalid --security-opt 2: ${quote(text)}`, { cause });
  }
}

function usage(message: string): HealthctlError {
  return new HealthctlError('USAGE', message);
}
