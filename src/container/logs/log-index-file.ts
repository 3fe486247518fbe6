import { closeSync, constants, ftruncateSync, writeSync } from 'node:fs';
import type { FaultReporter } from '../../lib/fault-reporter.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { openOwnFile, readOwnFile, removeOwn } from '../../system/own-file.ts';
import {
  bytesFromSightings,
  type LogTimes,
  logTimesFrom,
  RECORD_BYTES,
  type Sighting,
  thinnedTimes,
} from './log-times.ts';
import { timesPathOf } from './output-files.ts';

/** From this size on an index is thinned: with one entry per second, after 18 hours of continuous writing. */
const MAX_INDEX_BYTES = 1 << 20;
/** We never write a longer file. */
const MAX_READ_BYTES = 4 * MAX_INDEX_BYTES;
/** The last 256 entries, which cover at least some minutes. */
const LAST_BYTES = 256 * RECORD_BYTES;

/** The known times of an output file. A file without an index has none. */
export function readTimes(logPath: string, faults: FaultReporter = {}): LogTimes {
  return logTimesFrom(readIndex(timesPathOf(logPath), faults));
}

/** Like `readTimes`, for the last entries: enough for a reader that keeps up with the output. */
export function readLastTimes(logPath: string, faults: FaultReporter = {}): LogTimes {
  const bytes = readOwnFile(timesPathOf(logPath), { ...faults, maxBytes: LAST_BYTES, part: 'end' });
  return logTimesFrom(bytes ?? Buffer.alloc(0));
}

/** Adds observations of an output file to its index. Throws system errors. */
export function appendTimes(logPath: string, sightings: readonly Sighting[], faults: FaultReporter = {}): void {
  const path = timesPathOf(logPath);
  const { fd, stats } = openOwnFile(path, constants.O_WRONLY | constants.O_APPEND, faults);
  let { size } = stats;
  try {
    const torn = size % RECORD_BYTES;
    if (torn > 0) ftruncateSync(fd, size - torn); // of a writer that was killed
    const bytes = bytesFromSightings(sightings);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    size += bytes.length - torn;
  } finally {
    closeSync(fd);
  }
  if (size > MAX_INDEX_BYTES) replaceFile(path, thinnedTimes(readIndex(path, faults)));
}

/** Removes the index of an output file. Throws system errors. */
export const forgetTimes = (logPath: string): void => removeOwn(timesPathOf(logPath));

const readIndex = (path: string, { onFault }: FaultReporter): Buffer =>
  readOwnFile(path, { maxBytes: MAX_READ_BYTES, onFault }) ?? Buffer.alloc(0);
