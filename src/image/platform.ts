import { quote } from '../go/quote.ts';
import { HealthctlError } from '../lib/errors.ts';

/** The platform of an image, in Go's words: `linux`, `amd64`, `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Names of `process.arch` to Go's GOARCH. */
const ARCHITECTURES: Readonly<Record<string, Platform>> = {
  x64: { os: 'linux', architecture: 'amd64' },
  ia32: { os: 'linux', architecture: '386' },
  arm64: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
  ppc64: { os: 'linux', architecture: 'ppc64le' },
};

/** Other spellings that Docker accepts for an architecture (github.com/containerd/platforms, normalisation). */
const ALIASES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
  armhf: 'arm',
};

export function hostPlatform(arch: string = process.arch): Platform {
  return ARCHITECTURES[arch] ?? { os: 'linux', architecture: arch };
}

/** Go's names (github.com/containerd/platforms, database.go). */
const KNOWN_OS =
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  );
const KNOWN_ARCHITECTURES =
  '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  );

/**
 * Parses `linux/arm64/v8`, `arm64` or `linux`; missing parts are the host's. Throws INVALID with the texts of
 * containerd's library, which Docker prints.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  if (parts.length > 3) throw invalid(`${quote(text)}: cannot parse platform specifier`);
  const bad = parts.findIndex((part) => !/^[A-Za-z0-9_.-]+$/.test(part));
  if (bad >= 0) {
    const kind = bad === 0 ? 'an invalid OS component' : 'an invalid component';
    throw invalid(`${quote(parts[bad] ?? '')} is ${kind} of ${quote(text)}: want OS/ARCHITECTURE[/VARIANT]`);
  }
  const [first = '', second, variant] = parts.map((part) => part.toLowerCase());
  const os = first === 'macos' ? 'darwin' : first;
  if (second !== undefined) return normalise({ os, architecture: second, ...(variant ? { variant } : {}) });
  if (os === 'linux') return hostPlatform();
  if (KNOWN_OS.includes(os)) return { os, architecture: hostPlatform().architecture };
  const platform = normalise({ os: 'linux', architecture: first });
  if (KNOWN_ARCHITECTURES.includes(platform.architecture)) return platform;
  throw invalid(`${quote(text)}: unknown operating system or architecture`);
}

const invalid = (why: string) => new HealthctlError('INVALID', `${why}: invalid argument`);

/** Throws NOT_FOUND with Docker's text. */
export function refuseOtherPlatform(image: string, made: Platform, wanted: Platform): void {
  if (platformFit(made, wanted) > 0) return;
  throw new HealthctlError(
    'NOT_FOUND',
    `image with reference ${image} was found but its platform (${formatPlatform(made)}) does not match the specified platform (${formatPlatform(wanted)})`,
  );
}

/** The platform that an image's config names. */
export function imagePlatform(config: {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}): Platform {
  const { os, architecture, variant } = config;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/**
 * How well an image for `made` runs on `wanted`: 0 not at all, higher is better. A 32-bit ARM machine also runs images
 * for its predecessors.
 */
export function platformFit(made: Platform, wanted: Platform): number {
  const [m, w] = [normalise(made), normalise(wanted)];
  if (m.os !== w.os || m.architecture !== w.architecture) return 0;
  if (m.variant === w.variant) return 100;
  const [mine, theirs] = [levelOf(m.variant), levelOf(w.variant)];
  if (m.architecture === 'arm') return mine <= theirs ? 50 + mine : 0;
  // Without a variant it means the baseline.
  return m.variant === undefined ? 50 : w.variant === undefined ? 10 - mine : mine <= theirs ? 40 + mine : 0;
}

const levelOf = (variant: string | undefined) => Number(/^v(\d)$/.exec(variant ?? '')?.[1] ?? 0);

function normalise({ os, architecture, variant }: Platform): Platform {
  const name = Object.hasOwn(ALIASES, architecture) ? (ALIASES[architecture] ?? architecture) : architecture;
  const level = name === 'arm' ? (variant ?? 'v7') : isBaseline(name, variant) ? undefined : variant;
  return { os, architecture: name, ...(level === undefined ? {} : { variant: level }) };
}

const isBaseline = (architecture: string, variant: string | undefined) =>
  (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1');
