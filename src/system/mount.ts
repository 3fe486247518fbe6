import { errnoOf } from '../lib/errors.ts';
import { openLibc, systemError } from './libc.ts';

// uapi/linux/mount.h
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

export interface MountCall {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  /** MS_RDONLY and the like. */
  readonly flags: number;
  readonly data: string;
}

/** mount(2). Throws system errors. */
export function mount({ source, target, type, flags, data }: MountCall): void {
  const libc = openLibc();
  const call = libc.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
  );
  if (call(source, target, type, flags, data) !== 0) throw systemError(libc, 'mount', source);
}

/**
 * umount2(2) with MNT_DETACH: unmounts at once, while present users can continue. Throws system errors: EINVAL if
 * nothing is mounted.
 */
export function unmount(target: string): void {
  const libc = openLibc();
  if (libc.func('int umount2(const char *target, int flags)')(target, MNT_DETACH | UMOUNT_NOFOLLOW) !== 0) {
    throw systemError(libc, 'umount2', target);
  }
}

/** Like `unmount`, if something is mounted. @returns whether it was */
export function unmountIfMounted(target: string): boolean {
  try {
    unmount(target);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EINVAL' || errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
