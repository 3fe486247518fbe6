import { HealthctlError, messageOf } from '../lib/errors.ts';
import { decodeJson } from '../lib/json.ts';
import { arrangeRules } from './seccomp-arrange.ts';
import { defaultProfile } from './seccomp-default.ts';
import type { ProfileRule, SeccompProfile } from './seccomp-profile.ts';
import { checkSeccompProfile } from './seccomp-profile.ts';
import type { Seccomp } from './types.ts';

/** Architectures under the names that Go, images and Docker's profiles use. */
export type GoArch =
  | '386'
  | 'amd64'
  | 'arm'
  | 'arm64'
  | 'loong64'
  | 'mips64'
  | 'mips64le'
  | 'mipsle'
  | 'ppc64'
  | 'ppc64le'
  | 'riscv64'
  | 's390x';

/** The facts for the conditions of a profile. */
export interface SeccompConditions {
  /** The bounding set, e.g. `CAP_CHOWN`. */
  readonly capabilities: readonly string[];
  readonly arch: GoArch;
  /** As `uname -r` says, e.g. `6.1.0-18-amd64`. */
  readonly kernelVersion: string;
}

interface Arch {
  /** Its name in the `arches` of a profile. */
  readonly profile: string;
  /** Its name in `archMap`. */
  readonly scmp: string;
}

const ARCHES: Readonly<Record<GoArch, Arch>> = {
  '386': { profile: 'x86', scmp: 'SCMP_ARCH_X86' },
  amd64: { profile: 'amd64', scmp: 'SCMP_ARCH_X86_64' },
  arm: { profile: 'arm', scmp: 'SCMP_ARCH_ARM' },
  arm64: { profile: 'arm64', scmp: 'SCMP_ARCH_AARCH64' },
  loong64: { profile: 'loongarch64', scmp: 'SCMP_ARCH_LOONGARCH64' },
  mips64: { profile: 'mips64', scmp: 'SCMP_ARCH_MIPS64' },
  mips64le: { profile: 'mipsel64', scmp: 'SCMP_ARCH_MIPSEL64' },
  mipsle: { profile: 'mipsel', scmp: 'SCMP_ARCH_MIPSEL' },
  ppc64: { profile: 'ppc64', scmp: 'SCMP_ARCH_PPC64' },
  ppc64le: { profile: 'ppc64le', scmp: 'SCMP_ARCH_PPC64LE' },
  riscv64: { profile: 'riscv64', scmp: 'SCMP_ARCH_RISCV64' },
  s390x: { profile: 's390x', scmp: 'SCMP_ARCH_S390X' },
};

/** The default filter of a container: Docker's default profile fitted to its capabilities and to this machine. */
export function resolveSeccomp(conditions: SeccompConditions): Seccomp {
  return fitProfile(defaultProfile(), conditions);
}

/**
 * Reads the text of a `--security-opt seccomp=FILE` in Docker's profile format or plain OCI, and fits it to the
 * container. Undefined for a profile without a default action and without rules, which Docker takes as "no filter".
 * Throws INVALID.
 */
export function parseSeccompProfile(text: string, conditions: SeccompConditions): Seccomp | undefined {
  const profile = readProfile(text);
  if (profile === undefined) return undefined;
  return fitProfile(profile, conditions);
}

function readProfile(text: string): SeccompProfile | undefined {
  try {
    return checkSeccompProfile(decodeJson(text));
  } catch (cause) {
    throw new HealthctlError('INVALID', `Decoding seccomp profile failed: ${messageOf(cause)}`, { cause });
  }
}

function fitProfile(profile: SeccompProfile, conditions: SeccompConditions): Seccomp {
  const { archMap, syscalls = [], ...common } = profile;
  const architectures = archMap === undefined ? profile.architectures : architecturesOf(archMap, conditions.arch);
  return {
    ...common,
    ...(architectures !== undefined && architectures.length > 0 && { architectures }),
    syscalls: arrangeRules(
      syscalls.filter((rule) => applies(rule, conditions)).map(({ includes: _i, excludes: _e, ...rule }) => rule),
    ),
  };
}

function architecturesOf(archMap: NonNullable<SeccompProfile['archMap']>, arch: GoArch): readonly string[] {
  const own = archMap.find(({ architecture }) => architecture === ARCHES[arch].scmp);
  return own === undefined ? [] : [own.architecture, ...(own.subArchitectures ?? [])];
}

function applies({ includes = {}, excludes = {} }: ProfileRule, conditions: SeccompConditions): boolean {
  const { capabilities, kernelVersion } = conditions;
  const arch = ARCHES[conditions.arch].profile;
  if (excludes.arches?.includes(arch)) return false;
  if (excludes.caps?.some((name) => capabilities.includes(name))) return false;
  if (excludes.minKernel && isKernelSince(kernelVersion, excludes.minKernel)) return false;
  if (includes.arches !== undefined && includes.arches.length > 0 && !includes.arches.includes(arch)) return false;
  if (includes.caps?.some((name) => !capabilities.includes(name))) return false;
  return !(includes.minKernel && !isKernelSince(kernelVersion, includes.minKernel));
}

/** Compares version and major revision; what follows differs between distributions. */
export function isKernelSince(kernelVersion: string, wanted: string): boolean {
  const [have, want] = [kernelVersion, wanted].map((text) => {
    const [, version, revision] = /^(\d+)\.(\d+)/.exec(text) ?? [];
    if (version === undefined || revision === undefined) {
      throw new HealthctlError('INVALID', `not a kernel version: ${text}`);
    }
    return Number(version) * 100_000 + Number(revision);
  });
  return have !== undefined && want !== undefined && have >= want;
}
