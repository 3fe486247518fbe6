import { openLibc, systemError } from './libc.ts';

/** Identifies a file; also the facts that the user of a lock needs. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly size: number;
  /** Together the same for two names of one file, and different for everything else on this host. */
  readonly device: number;
  readonly inode: bigint;
}

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const WANTED = 0x1 | 0x100 | 0x200; // STATX_TYPE, STATX_INO, STATX_SIZE
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/**
 * `struct statx` (linux/stat.h), which has the same layout on every architecture, in native byte order. Read it before
 * the next call.
 */
const buffer = new ArrayBuffer(256);
const bytes = new Uint8Array(buffer);
const of16 = new Uint16Array(buffer);
const of32 = new Uint32Array(buffer);
const of64 = new BigUint64Array(buffer);

/**
 * statx(2) of an open file or directory. Node.js's fstat creates an object of eighteen fields, four of them dates,
 * which is a good part of the cost of a lock.
 */
export function factsOfOpen(fd: number): FileFacts {
  const facts = statx(fd, '', AT_EMPTY_PATH);
  if (!facts) throw systemError(openLibc(), 'statx');
  return facts;
}

/** statx(2) of a path; undefined if nothing is there. */
export function factsOfPath(path: string): FileFacts | undefined {
  const facts = statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  if (facts) return facts;
  const error = systemError(openLibc(), 'statx', path);
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}

function statx(dir: number, path: string, flags: number): FileFacts | undefined {
  const call = openLibc().func('int statx(int dir, const char *path, int flags, unsigned int mask, void *buffer)');
  if (call(dir, path, flags, WANTED, bytes) !== 0) return undefined;
  const [mode = 0, inode = 0n, size = 0n, major = 0, minor = 0] = [of16[14], of64[4], of64[5], of32[34], of32[35]];
  return { isFile: (mode & S_IFMT) === S_IFREG, size: Number(size), device: major * 2 ** 32 + minor, inode };
}
