import type { ByteReader, ByteWriter } from './bytes.ts';

/**
 * How long checks took, in bins that each are a tenth wider than the one before: a quantile is within 5 % of the truth.
 * Bin 0 is everything up to 1 ms.
 */
export interface Durations {
  /** Numbers of checks by bin; absent is 0. */
  readonly bins: Map<number, number>;
  count: number;
}

const GROWTH = Math.log(1.1);
/** Some 11 days. */
const LAST_BIN = 217;

export const noDurations = (): Durations => ({ bins: new Map(), count: 0 });

export function addDuration(durations: Durations, durationMs: number): void {
  addToBin(durations, binOf(durationMs), 1);
}

const binOf = (ms: number): number => (ms <= 1 ? 0 : Math.min(LAST_BIN, Math.ceil(Math.log(ms) / GROWTH)));

function addToBin(durations: Durations, bin: number, count: number): void {
  durations.bins.set(bin, (durations.bins.get(bin) ?? 0) + count);
  durations.count += count;
}

export function mergeDurations(into: Durations, from: Durations): void {
  for (const [bin, count] of from.bins) addToBin(into, bin, count);
}

/**
 * The duration that this share of the checks did not exceed, in milliseconds: the middle of its bin. Undefined without a
 * check.
 *
 * @param share from 0 to 1
 */
export function durationAt({ bins, count }: Durations, share: number): number | undefined {
  if (count === 0) return undefined;
  let rest = Math.max(1, Math.ceil(share * count));
  for (const bin of [...bins.keys()].sort((a, b) => a - b)) {
    rest -= bins.get(bin) ?? 0;
    if (rest <= 0) return bin === 0 ? 1 : Math.round(Math.exp((bin - 0.5) * GROWTH));
  }
  return undefined;
}

export function writeDurations(writer: ByteWriter, { bins }: Durations): void {
  const sorted = [...bins].sort(([a], [b]) => a - b);
  writer.uint(sorted.length);
  let last = 0;
  for (const [bin, count] of sorted) {
    writer.uint(bin - last);
    writer.uint(count);
    last = bin;
  }
}

/** The inverse of `writeDurations`. Throws CORRUPT. */
export function readDurations(reader: ByteReader): Durations {
  const durations = noDurations();
  let bin = 0;
  for (let rest = reader.uint(); rest > 0; rest -= 1) {
    bin += reader.uint();
    addToBin(durations, Math.min(bin, LAST_BIN), reader.uint());
  }
  return durations;
}
