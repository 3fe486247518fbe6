import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';
import { replaceFile } from '../store/atomic-write.ts';
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

/** What is known of an output file. One without an index has no times. */
export function readTimes(logPath: string): LogTimes {
  return logTimesFrom(readIndex(timesPathOf(logPath)));
}

/** Adds what was seen of an output file to its index. Throws system errors. */
export function appendTimes(logPath: string, sightings: readonly Sighting[]): void {
  const path = timesPathOf(logPath);
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  let size: number;
  try {
    size = fstatSync(fd).size;
    const torn = size % RECORD_BYTES;
    if (torn > 0) ftruncateSync(fd, size - torn); // of a writer that was killed
    const bytes = bytesFromSightings(sightings);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    size += bytes.length - torn;
  } finally {
    closeSync(fd);
  }
  if (size > MAX_INDEX_BYTES) replaceFile(path, thinnedTimes(readIndex(path)));
}

function readIndex(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
