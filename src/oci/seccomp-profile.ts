import { encodeJson } from '../lib/json.ts';
import type { Seccomp, SeccompArgument, SeccompRule } from './types.ts';

/** When a rule applies: for `includes` everything must hold, for `excludes` any part. */
interface ProfileFilter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  /** `<version>.<major revision>`, e.g. `4.8`. */
  readonly minKernel?: string;
}

export interface ProfileRule extends SeccompRule {
  readonly includes?: ProfileFilter;
  readonly excludes?: ProfileFilter;
}

/** Docker's profile format: OCI's, with conditions on rules and with `archMap` in place of `architectures`. */
export interface SeccompProfile extends Seccomp {
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] }[];
  readonly syscalls?: readonly ProfileRule[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks a decoded seccomp profile. Undefined if it has neither a default action nor rules. Throws an Error with the
 * reason, with the texts of moby/profiles (seccomp/seccomp_linux.go) where it has one.
 */
export function checkSeccompProfile(json: unknown): SeccompProfile | undefined {
  const profile = fields(json, 'the profile');
  const rules = list(profile.syscalls, 'syscalls');
  const defaultAction = text(profile.defaultAction, 'defaultAction') ?? '';
  if (defaultAction === '' && rules.length === 0) return undefined;
  const architectures = texts(profile.architectures, 'architectures');
  const archMap = list(profile.archMap, 'archMap').map(readArchitecture);
  if (architectures.length > 0 && archMap.length > 0) {
    throw new Error(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  const { syscalls: _s, archMap: _a, architectures: _n, defaultErrnoRet: _d, ...rest } = profile;
  const defaultErrnoRet = count(profile.defaultErrnoRet, 'defaultErrnoRet');
  return {
    ...rest,
    defaultAction,
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    ...(architectures.length > 0 && { architectures }),
    ...(archMap.length > 0 && { archMap }),
    flags: texts(profile.flags, 'flags'),
    syscalls: rules.map(readRule),
  };
}

function readArchitecture(json: unknown): { architecture: string; subArchitectures: readonly string[] } {
  const { architecture, subArchitectures } = fields(json, 'archMap');
  return {
    architecture: text(architecture, 'archMap.architecture') ?? '',
    subArchitectures: texts(subArchitectures, 'archMap.subArchitectures'),
  };
}

function readRule(json: unknown): ProfileRule {
  const rule = fields(json, 'syscalls');
  const name = text(rule.name, 'syscalls.name') ?? '';
  const names = texts(rule.names, 'syscalls.names');
  if (name !== '' && names.length > 0) {
    throw new Error("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'");
  }
  const errnoRet = count(rule.errnoRet, 'syscalls.errnoRet');
  const includes = readFilter(rule.includes, 'syscalls.includes');
  const excludes = readFilter(rule.excludes, 'syscalls.excludes');
  const args = list(rule.args, 'syscalls.args').map(readArgument);
  return {
    names: name === '' ? names : [name],
    action: text(rule.action, 'syscalls.action') ?? '',
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args.length > 0 && { args }),
    ...(includes && { includes }),
    ...(excludes && { excludes }),
  };
}

function readArgument(json: unknown): SeccompArgument {
  const { index, value, valueTwo, op } = fields(json, 'syscalls.args');
  return {
    index: count(index, 'syscalls.args.index') ?? 0,
    value: unsigned(value, 'syscalls.args.value'),
    valueTwo: unsigned(valueTwo, 'syscalls.args.valueTwo'),
    op: text(op, 'syscalls.args.op') ?? '',
  };
}

function readFilter(json: unknown, where: string): ProfileFilter | undefined {
  if (json === undefined || json === null) return undefined;
  const { caps, arches, minKernel } = fields(json, where);
  const version = text(minKernel, `${where}.minKernel`) ?? '';
  if (version !== '' && (!/^\d{1,3}\.\d{1,3}$/.test(version) || /^0+\.0+$/.test(version))) {
    throw new Error(`invalid kernel version: ${encodeJson(version)}, expected "<kernel>.<major>"`);
  }
  return {
    caps: texts(caps, `${where}.caps`),
    arches: texts(arches, `${where}.arches`),
    ...(version !== '' && { minKernel: version }),
  };
}

function fields(json: unknown, where: string): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error(`${where} is not an object`);
  return json as Fields;
}

function list(json: unknown, where: string): readonly unknown[] {
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json)) throw new Error(`${where} is not a list`);
  return json;
}

function texts(json: unknown, where: string): readonly string[] {
  return list(json, where).map((item) => text(item, where) ?? '');
}

function text(json: unknown, where: string): string | undefined {
  if (json === undefined || json === null) return undefined;
  if (typeof json !== 'string') throw new Error(`${where} is not a string`);
  return json;
}

function count(json: unknown, where: string): number | undefined {
  if (json === undefined || json === null) return undefined;
  if (typeof json !== 'number' || !Number.isInteger(json) || json < 0 || json >= 2 ** 32) {
    throw new Error(`${where} is not a small whole number`);
  }
  return json;
}

function unsigned(json: unknown, where: string): number | bigint {
  if (json === undefined || json === null) return 0;
  const isWhole = typeof json === 'bigint' || (typeof json === 'number' && Number.isSafeInteger(json));
  if (!isWhole || json < 0 || BigInt(json) >= 2n ** 64n) throw new Error(`${where} is not a whole number of 64 bits`);
  return json;
}
