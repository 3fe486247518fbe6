import { closeSync, openSync, readSync } from 'node:fs';

/** Bytes of the kernel's generator (random(4)), which gives up to 256 of them at once. Loading Node.js's own takes 1 ms of a short command. */
function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const fd = openSync('/dev/urandom', 'r');
  try {
    readSync(fd, bytes);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** A name that nobody else has: so many random bytes, in hexadecimal. @param bytes at most 256 */
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** A random number from 0 to `limit` - 1, to pick one of a few. @param limit far below 2^32: each number is as likely to within limit / 2^32 */
export const randomBelow = (limit: number): number => randomBytes(4).readUInt32LE() % limit;
