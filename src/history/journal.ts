import { HealthctlError } from '../lib/errors.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { crc32 } from './crc32.ts';
import type { KeyedSample, Sample } from './model.ts';
import { readSample, writeSample } from './sample-codec.ts';

/*
 * A journal: the samples of all containers as they come, a frame for each batch. A frame is its length (4 bytes) and
 * CRC-32 (4), little-endian, then the batch: its time, then the samples, each after the number of its container. A
 * number that was not used before in the file is followed by the container's key.
 */

const HEAD_BYTES = 8;
const MAX_KEY_BYTES = 512;
/** A batch of 10,000 failures. */
const MAX_FRAME_BYTES = 4 << 20;

/** Makes the frames of one journal. */
export class FrameWriter {
  readonly #numbers = new Map<string, number>();

  /** @param atMs wall time; also of a batch without samples, which shows that the monitor lived */
  frame(atMs: number, samples: Iterable<KeyedSample>): Buffer {
    const batch = new ByteWriter(1024);
    batch.uint(Math.round(atMs));
    let beforeMs = Math.round(atMs);
    for (const [key, sample] of samples) {
      const number = this.#numbers.get(key);
      batch.uint(number ?? this.#numbers.size);
      if (number === undefined) {
        this.#numbers.set(key, this.#numbers.size);
        batch.text(key, MAX_KEY_BYTES);
      }
      writeSample(batch, sample, beforeMs);
      beforeMs = Math.round(sample.atMs);
    }
    const body = batch.written();
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(body.length, 0);
    head.writeUInt32LE(crc32(body), 4);
    return Buffer.concat([head, body]);
  }
}

export interface JournalFacts {
  /** Wall time of the last batch; undefined without one. */
  readonly lastMs: number | undefined;
  /** Whether the last write was interrupted: what follows the last whole frame is left out. */
  readonly isTorn: boolean;
}

/** Calls `visit` for each sample. Throws CORRUPT at the first damaged frame, after the samples before it. */
export function eachJournaled(journal: Buffer, visit: (key: string, sample: Sample) => void): JournalFacts {
  const keys: string[] = [];
  return eachFrame(journal, (body) => readFrame(body, keys, visit));
}

/** The facts about a journal without its samples, whose decoding takes most of the time. */
export const journalFactsOf = (journal: Buffer): JournalFacts =>
  eachFrame(journal, (body) => new ByteReader(body).uint());

/** @param timeOf reads a frame, and returns its time */
function eachFrame(journal: Buffer, timeOf: (body: Buffer) => number): JournalFacts {
  let lastMs: number | undefined;
  let at = 0;
  while (at + HEAD_BYTES <= journal.length) {
    const length = journal.readUInt32LE(at);
    const body = journal.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    // Zeros are what a power failure may leave of a write.
    if (length === 0 || body.length < length) break;
    if (length > MAX_FRAME_BYTES || crc32(body) !== journal.readUInt32LE(at + 4))
      throw new HealthctlError('CORRUPT', 'a frame of a journal is damaged');
    lastMs = timeOf(body);
    at += HEAD_BYTES + length;
  }
  return { lastMs, isTorn: at < journal.length };
}

function readFrame(body: Buffer, keys: string[], visit: (key: string, sample: Sample) => void): number {
  const reader = new ByteReader(body);
  const atMs = reader.uint();
  let beforeMs = atMs;
  while (!reader.isDone) {
    const number = reader.uint();
    if (number === keys.length) keys.push(reader.text());
    const key = keys[number];
    if (key === undefined) throw new HealthctlError('CORRUPT', 'a journal names a container that it does not know');
    const sample = readSample(reader, beforeMs);
    beforeMs = sample.atMs;
    visit(key, sample);
  }
  return atMs;
}
