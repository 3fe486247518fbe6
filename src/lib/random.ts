import { closeSync, openSync, readSync } from 'node:fs';

/** random(4) gives as many at once without being interrupted. */
const POOL_BYTES = 256;
let pool = Buffer.alloc(0);

/**
 * Bytes of the kernel's generator, each given out once; `count` is at most 256. Loading Node.js's own generator takes 1 ms of a short command.
 */
function randomBytes(count: number): Buffer {
  if (pool.length < count) {
    pool = Buffer.alloc(POOL_BYTES);
    const fd = openSync('/dev/urandom', 'r');
    try {
      readSync(fd, pool);
    } finally {
      closeSync(fd);
    }
  }
  const bytes = pool.subarray(0, count);
  pool = pool.subarray(count);
  return bytes;
}

/** A name that nobody else has: so many random bytes, in hexadecimal. @param bytes at most 256 */
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** A random number from 0 to `limit` - 1, to pick one of a few. @param limit far below 2^32: each number is as likely to within limit / 2^32 */
export const randomBelow = (limit: number): number => randomBytes(4).readUInt32LE() % limit;
