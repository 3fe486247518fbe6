import { HealthctlError } from '../lib/errors.ts';
import { isEmulated } from '../system/binfmt.ts';
import { formatPlatform, hostPlatform, type Platform, platformFit } from './platform.ts';

/** Other architectures that the processor itself runs. */
const ALSO: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] };

/** Go's names of architectures to those of QEMU, where they differ. */
const QEMU_NAMES: Readonly<Record<string, string>> = { amd64: 'x86_64', '386': 'i386', arm64: 'aarch64' };

/** Throws INVALID for a platform whose programs this host cannot run, not with an emulator either. */
export function refuseUnrunnable(platform: Platform, host: Platform = hostPlatform()): void {
  const { os, architecture } = platform;
  if (platformFit(platform, host) > 0) return;
  if (os === host.os && isAlso(architecture, host)) return;
  if (os === host.os && isEmulated(QEMU_NAMES[architecture] ?? architecture)) return;
  throw new HealthctlError(
    'INVALID',
    `this host cannot run ${formatPlatform(platform)}: it is ${formatPlatform(host)}, and no emulator is registered`,
    { hint: 'leave out --platform, or install QEMU user emulation with binfmt_misc' },
  );
}

const isAlso = (architecture: string, host: Platform) => ALSO[host.architecture]?.includes(architecture) === true;
