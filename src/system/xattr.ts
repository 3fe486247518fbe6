import { errnoOf } from '../lib/errors.ts';
import { type Libc, openLibc, systemError } from './libc.ts';

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of Linux. */
const MAX_BYTES = 65_536;
/** A file system without them, and an attribute that is gone or not for us to read. */
const ABSENT = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENODATA', 'EPERM', 'EACCES']);

/**
 * Copies the extended attributes of a file that `wants` says yes to, e.g. `security.capability`. Neither path is followed when it is a symbolic
 * link. What the file system of the copy cannot hold is left out. Throws system errors otherwise.
 */
export function copyXattrs(from: string, to: string, wants: (name: string) => boolean): void {
  const libc = openLibc();
  for (const name of namesOf(libc, from).filter(wants)) {
    const value = readValue(libc, from, name);
    if (value) writeValue(libc, to, { name, value });
  }
}

function namesOf(libc: Libc, path: string): readonly string[] {
  const list = libc.func('long llistxattr(const char *path, void *list, unsigned long size)');
  if (list(path, null, 0) === 0) return [];
  const buffer = Buffer.alloc(MAX_BYTES);
  const length = list(path, buffer, buffer.length);
  if (length < 0) {
    absentOrThrow(libc, 'llistxattr', path);
    return [];
  }
  return buffer
    .toString('utf8', 0, length)
    .split('\0')
    .filter((name) => name !== '');
}

function readValue(libc: Libc, path: string, name: string): Buffer | undefined {
  const get = libc.func('long lgetxattr(const char *path, const char *name, void *value, unsigned long size)');
  const buffer = Buffer.alloc(MAX_BYTES);
  const length = get(path, name, buffer, buffer.length);
  if (length >= 0) return buffer.subarray(0, length);
  absentOrThrow(libc, 'lgetxattr', path);
  return undefined;
}

function writeValue(
  libc: Libc,
  path: string,
  { name, value }: { readonly name: string; readonly value: Buffer },
): void {
  const set = libc.func(
    'int lsetxattr(const char *path, const char *name, const void *value, unsigned long size, int flags)',
  );
  if (set(path, name, value, value.length, 0) !== 0) absentOrThrow(libc, 'lsetxattr', path);
}

function absentOrThrow(libc: Libc, call: string, path: string): void {
  const error = systemError(libc, call, path);
  if (!ABSENT.has(errnoOf(error) ?? '')) throw error;
}
