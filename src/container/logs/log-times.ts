/**
 * The times at which the bytes of an output file came: `stdout.times` beside `stdout.log`. The monitor appends its
 * observations of the file's size.
 *
 * Records of 16 bytes, two big-endian unsigned integers: microseconds since the epoch; twice the file's size at that
 * time, plus 1 if the file was not followed while the bytes up to it came. Neither ever falls, so readers can use a
 * binary search.
 */
export interface LogTimes {
  /** When the byte before this offset came; undefined if it is not recorded (yet). */
  at(end: number): LogTime | undefined;
  /** The offset up to which times are known. */
  readonly end: number;
  /** When the byte before it came; 0 if nothing is known. */
  readonly lastMs: number;
  readonly count: number;
}

export interface LogTime {
  readonly atMs: number;
  /** False if it may have come earlier, while the file was not followed. */
  readonly isExact: boolean;
}

/** An observation of a file. */
export interface Sighting {
  readonly atMs: number;
  /** Bytes. */
  readonly size: number;
  /** See LogTime. */
  readonly isExact: boolean;
}

export const RECORD_BYTES = 16;

export function bytesFromSightings(sightings: readonly Sighting[]): Buffer {
  const bytes = Buffer.alloc(sightings.length * RECORD_BYTES);
  for (const [index, { atMs, size, isExact }] of sightings.entries()) {
    bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.round(atMs * 1000))), index * RECORD_BYTES);
    bytes.writeBigUInt64BE(BigInt(size) * 2n + (isExact ? 0n : 1n), index * RECORD_BYTES + 8);
  }
  return bytes;
}

/** Skips a torn record at the end, and records that add nothing to the previous one. */
export function logTimesFrom(bytes: Buffer): LogTimes {
  const count = Math.floor(bytes.length / RECORD_BYTES);
  const [times, ends, exact] = [new Float64Array(count), new Float64Array(count), new Uint8Array(count)];
  let kept = 0;
  for (let at = 0; at < count; at += 1) {
    const us = Number(bytes.readBigUInt64BE(at * RECORD_BYTES));
    const word = bytes.readBigUInt64BE(at * RECORD_BYTES + 8);
    const end = Number(word >> 1n);
    if (kept > 0 && end <= (ends[kept - 1] ?? 0)) continue;
    times[kept] = Math.max(us / 1000, times[kept - 1] ?? 0);
    ends[kept] = end;
    exact[kept] = word % 2n === 0n ? 1 : 0;
    kept += 1;
  }
  return {
    count: kept,
    end: ends[kept - 1] ?? 0,
    lastMs: times[kept - 1] ?? 0,
    at: (end) => {
      const found = firstAtLeast(ends.subarray(0, kept), end);
      return found === kept ? undefined : { atMs: times[found] ?? 0, isExact: exact[found] === 1 };
    },
  };
}

/**
 * Half the records, for an index that has grown too long: keeps every second one of the older half, so that old times
 * become less exact, by twice the time between two observations.
 */
export function thinnedTimes(bytes: Buffer): Buffer {
  const count = Math.floor(bytes.length / RECORD_BYTES);
  const recent = Math.floor(count / 2);
  const kept: Buffer[] = [];
  for (let at = 0; at < count; at += 1) {
    const record = bytes.subarray(at * RECORD_BYTES, (at + 1) * RECORD_BYTES);
    // Keeps the later of two: earlier bytes are known to have come by then.
    if (at >= recent || at % 2 === 1) kept.push(record);
  }
  return Buffer.concat(kept);
}

/** The index of the first element that is not less; the length if all are. */
function firstAtLeast(sorted: Float64Array, wanted: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
