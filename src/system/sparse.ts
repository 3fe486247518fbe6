import { openLibc, systemError } from './libc.ts';

// uapi/linux/falloc.h
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
// uapi/linux/fs.h
const SEEK_DATA = 3;
const ENXIO = 6;

/**
 * Gives the first bytes of a file back to its file system: they read as zeros and take no space. The size and the offsets of all other bytes
 * stay as they are, so that whoever appends meanwhile loses nothing (fallocate(2)).
 *
 * @param length a multiple of the file system's block size: of a block that is not covered as a whole, the bytes are only zeroed
 * @throws system errors; EOPNOTSUPP where the file system cannot do it (ext4, XFS, Btrfs and tmpfs can, and overlayfs above them)
 */
export function punchFront(fd: number, length: number): void {
  const libc = openLibc();
  const fallocate = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
  if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, length) !== 0) throw systemError(libc, 'fallocate');
}

/**
 * The first offset from `from` on that holds data: what was punched is passed over. The end of the file when nothing follows, `from` where the
 * file system cannot tell.
 */
export function firstData(fd: number, from: number, size: number): number {
  const libc = openLibc();
  const found = libc.func('int64_t lseek(int fd, int64_t offset, int whence)')(fd, from, SEEK_DATA);
  if (found >= 0) return found;
  return libc.errno() === ENXIO ? size : from;
}
