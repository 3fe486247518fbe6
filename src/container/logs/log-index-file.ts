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

/** From then on an index is thinned: at a look each second, after 18 hours of writing without a pause. */
const MAX_INDEX_BYTES = 1 << 20;
/** A longer one was not written by us. */
const MAX_READ_BYTES = 4 * MAX_INDEX_BYTES;
/** Of the last 256 looks, some minutes at least. */
const LAST_BYTES = 256 * RECORD_BYTES;

/** What is known of an output file. One without an index has no times. */
export function readTimes(logPath: string, faults: FaultReporter = {}): LogTimes {
  return logTimesFrom(readIndex(timesPathOf(logPath), faults));
}

/** The same of what came last: enough for whoever keeps up with the output. */
export function readLastTimes(logPath: string, faults: FaultReporter = {}): LogTimes {
  const bytes = readOwnFile(timesPathOf(logPath), { ...faults, maxBytes: LAST_BYTES, part: 'end' });
  return logTimesFrom(bytes ?? Buffer.alloc(0));
}

/** Adds what was seen of an output file to its index. Throws system errors. */
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
