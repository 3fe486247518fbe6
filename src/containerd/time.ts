import type { Timestamp } from './gen/google/protobuf/timestamp.ts';

/** Milliseconds since the epoch, with fractions; undefined for a time that was never set. */
export function millisFromTimestamp(time: Timestamp | undefined): number | undefined {
  if (!time || (time.seconds <= 0 && time.nanos === 0)) return undefined;
  return time.seconds * 1000 + time.nanos / 1e6;
}
