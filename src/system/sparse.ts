import { openLibc, systemError } from './libc.ts';

// uapi/linux/falloc.h
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
// uapi/linux/fs.h
const SEEK_DATA = 3;
const ENXIO = 6;

/**
 * Frees the space of the first bytes of a file: they then read as zeros. The size, and the offsets of all other bytes,
 * stay, so that a concurrent appender loses nothing (fallocate(2)).
 *
 * @param length a multiple of the file system's block size: in a partly covered block the bytes are only zeroed
 * @throws system errors; EOPNOTSUPP if the file system does not support it (ext4, XFS, Btrfs and tmpfs do, and
 *   overlayfs above them)
 */
export function punchFront(fd: number, length: number): void {
  const libc = openLibc();
  const fallocate = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
  if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, length) !== 0) throw systemError(libc, 'fallocate');
}

/**
 * The first offset from `from` on that has data: punched ranges are skipped. The end of the file if there is none,
 * `from` if the file system cannot tell.
 */
export function firstData(fd: number, from: number, size: number): number {
  const libc = openLibc();
  const found = libc.func('int64_t lseek(int fd, int64_t offset, int whence)')(fd, from, SEEK_DATA);
  if (found >= 0) return found;
  return libc.errno() === ENXIO ? size : from;
}
