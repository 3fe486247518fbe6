import { closeSync, constants, openSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';
import { cString, openLibc, systemError } from './libc.ts';

// uapi/linux/openat2.h
const SYS_OPENAT2 = 437;
const RESOLVE_NO_XDEV = 1;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_NO_SYMLINKS = 4;
const RESOLVE_BENEATH = 8;
const RESOLVE_IN_ROOT = 16;

/** A descriptor that only names an object: opening it has no effects, also for devices and FIFOs. */
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
const MAX_TRIES = 16;

/**
 * `in-root`: links are followed, with the directory as `/`. `in-mount`: the same, and something mounted on the way is an
 * error (EXDEV). `beneath`: links are followed, and one that leads out of the directory is an error (EXDEV). `no-links`: a link on the way is an error (ELOOP), as are `..` beyond the directory and absolute paths.
 * Links of procfs are never followed.
 */
type Resolution = 'in-root' | 'in-mount' | 'beneath' | 'no-links';

const RESOLVE: Readonly<Record<Resolution, number>> = {
  'in-root': RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  'in-mount': RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
  beneath: RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  'no-links': RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
};

export interface OpenAt {
  /** Descriptor of the directory that the path cannot leave. */
  readonly dir: number;
  /** Bytes, if it may not be UTF-8. */
  readonly path: string | Buffer;
  readonly resolution: Resolution;
  /** O_CLOEXEC is added. */
  readonly flags: number;
}

/** openat2(2) (Linux 5.6). @returns a descriptor. Throws system errors: ENOENT, ELOOP, ENOSYS … */
export function openAt({ dir, path, resolution, flags }: OpenAt): number {
  const libc = openLibc();
  const openat2 = libc.func(
    'long syscall(long number, int dir, const void *path, const void *how, unsigned long size)',
  );
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE[resolution]), 16);
  const name = cString(path);
  for (let tries = 1; ; tries++) {
    const fd = openat2(SYS_OPENAT2, dir, name, how, how.length);
    if (fd >= 0) return fd;
    const error = systemError(libc, 'openat2', path.toString());
    // A concurrent rename while `..` was resolved: the kernel asks for another try.
    const isTransient = errnoOf(error) === 'EAGAIN' || errnoOf(error) === 'EINTR';
    if (!isTransient || tries === MAX_TRIES) throw error;
  }
}

/**
 * Names what a path below a directory leads to, by links that stay in it. Throws system errors: EXDEV for a path that
 * leads out of it.
 *
 * @param base may be reached by links
 */
export function openBeneath(base: string, path: string): number {
  const dir = openSync(base, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  try {
    return openAt({ dir, path, resolution: 'beneath', flags: O_PATH });
  } finally {
    closeSync(dir);
  }
}

/** Names the object itself, also a link at the end of the path, unless a slash follows. Throws system errors. */
export function openNode(dir: number, path: string | Buffer): number {
  return openAt({ dir, path, resolution: 'in-root', flags: O_PATH | constants.O_NOFOLLOW });
}

/** A path below an open directory. The name must be one component, and links at it must not be followed. */
export function pathBelow(dir: number, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${dir}/`), Buffer.from(name)]);
}
