import { errnoOf } from '../lib/errors.ts';
import { cString, type Libc, openLibc, systemError } from './libc.ts';

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of Linux. */
const MAX_BYTES = 65_536;
/** A file system without them, or an attribute that is gone or that we may not read. */
const ABSENT = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENODATA', 'EPERM', 'EACCES']);

/**
 * Copies the extended attributes of a file that `wants` accepts, e.g. `security.capability`. Symbolic links are not
 * followed. Attributes that the target's file system cannot store are omitted. Throws system errors otherwise.
 */
export function copyXattrs(from: Buffer, to: Buffer, wants: (name: string) => boolean): void {
  const libc = openLibc();
  const [source, target] = [cString(from), cString(to)];
  for (const name of namesOf(libc, source).filter(wants)) {
    const value = readValue(libc, source, name);
    if (value) writeValue(libc, target, { name, value });
  }
}

/** An attribute of an object, not of the target of a link; undefined without it. Throws system errors. */
export function readXattr(path: Buffer, name: string): Buffer | undefined {
  return readValue(openLibc(), cString(path), name);
}

/** Sets an attribute, if the file system can store it. Throws system errors. */
export function setXattr(path: Buffer, name: string, value: Buffer): void {
  writeValue(openLibc(), cString(path), { name, value });
}

function namesOf(libc: Libc, path: Buffer): readonly string[] {
  const list = libc.func('long llistxattr(const void *path, void *list, unsigned long size)');
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

function readValue(libc: Libc, path: Buffer, name: string): Buffer | undefined {
  const get = libc.func('long lgetxattr(const void *path, const char *name, void *value, unsigned long size)');
  const buffer = Buffer.alloc(MAX_BYTES);
  const length = get(path, name, buffer, buffer.length);
  if (length >= 0) return buffer.subarray(0, length);
  absentOrThrow(libc, 'lgetxattr', path);
  return undefined;
}

function writeValue(
  libc: Libc,
  path: Buffer,
  { name, value }: { readonly name: string; readonly value: Buffer },
): void {
  const set = libc.func(
    'int lsetxattr(const void *path, const char *name, const void *value, unsigned long size, int flags)',
  );
  if (set(path, name, value, value.length, 0) !== 0) absentOrThrow(libc, 'lsetxattr', path);
}

function absentOrThrow(libc: Libc, call: string, path: Buffer): void {
  const error = systemError(libc, call, path.toString('utf8', 0, path.length - 1));
  if (!ABSENT.has(errnoOf(error) ?? '')) throw error;
}
