import { HEALTH_STATUSES } from '../health/state.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { MAX_TEXT_BYTES, type Sample } from './model.ts';

const FAILED = 0x04;
const LAG_KNOWN = 0x08;
const HAS_OUTPUT = 0x10;

/** Longest time that a number keeps, in milliseconds: some 11 days. */
const MAX_MS = 1e9;
const whole = (ms: number): number => Math.round(Math.min(Math.max(ms, -MAX_MS), MAX_MS));

/**
 * Writes a sample in 5 to 7 bytes, more for a failure.
 *
 * @param beforeMs the time of the sample before it in the same block; 0 for the first one
 */
export function writeSample(writer: ByteWriter, sample: Sample, beforeMs: number): void {
  const { atMs, durationMs, lagMs, status, exitCode, output } = sample;
  const flags =
    HEALTH_STATUSES.indexOf(status) |
    (exitCode === 0 ? 0 : FAILED) |
    (lagMs === undefined ? 0 : LAG_KNOWN) |
    (output === '' ? 0 : HAS_OUTPUT);
  writer.int(Math.round(atMs) - Math.round(beforeMs));
  writer.byte(flags);
  writer.uint(Math.max(0, whole(durationMs)));
  if (lagMs !== undefined) writer.int(whole(lagMs));
  if (exitCode !== 0) writer.int(exitCode);
  if (output !== '') writer.text(output, MAX_TEXT_BYTES);
}

/** The inverse of `writeSample`. Throws CORRUPT. */
export function readSample(reader: ByteReader, beforeMs: number): Sample {
  const atMs = beforeMs + reader.int();
  const flags = reader.byte();
  return {
    atMs,
    durationMs: reader.uint(),
    lagMs: flags & LAG_KNOWN ? reader.int() : undefined,
    status: HEALTH_STATUSES[flags & 0x03] ?? 'starting',
    exitCode: flags & FAILED ? reader.int() : 0,
    output: flags & HAS_OUTPUT ? reader.text() : '',
  };
}

/** The samples of one container in one window, in the order of their writing. */
export class SampleBlock {
  readonly #writer = new ByteWriter(256);
  #lastMs = 0;

  add(sample: Sample): void {
    writeSample(this.#writer, sample, this.#lastMs);
    this.#lastMs = Math.round(sample.atMs);
  }
  bytes(): Buffer {
    return this.#writer.written();
  }
}

/** Calls `visit` for each sample of a block. Throws CORRUPT. */
export function eachSample(block: Uint8Array, visit: (sample: Sample) => void): void {
  const reader = new ByteReader(block);
  let lastMs = 0;
  while (!reader.isDone) {
    const sample = readSample(reader, lastMs);
    lastMs = sample.atMs;
    visit(sample);
  }
}
