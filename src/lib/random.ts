import { closeSync, openSync, readSync } from 'node:fs';

/** random(4) returns this many in one uninterrupted call. */
const POOL_BYTES = 256;
let pool = Buffer.alloc(0);

/**
 * Random bytes from the kernel, each returned once; `count` is at most 256. Loading Node.js's own generator takes 1 ms
 * of a short command.
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

/** A unique name: this many random bytes, in hexadecimal. @param bytes at most 256 */
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');

/**
 * A random number from 0 to `limit` - 1, to pick one of a few.
 * @param limit far below 2^32: probabilities differ by at most limit / 2^32
 */
export const randomBelow = (limit: number): number => randomBytes(4).readUInt32LE() % limit;
