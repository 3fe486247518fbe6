import type { ByteReader, ByteWriter } from './bytes.ts';

/**
 * How long checks took, in bins that each are a tenth wider than the one before: a quantile is within 5 % of the truth.
 * Bin 0 is everything up to 1 ms. Few bins are in use, so they are two short lists, sorted by bin.
 */
export interface Durations {
  readonly bins: number[];
  /** Number of checks, by the position of the bin. */
  readonly counts: number[];
  /** Of all. */
  count: number;
}

const GROWTH = Math.log(1.1);
/** Some 11 days. */
const LAST_BIN = 217;

export const noDurations = (): Durations => ({ bins: [], counts: [], count: 0 });

export function addDuration(durations: Durations, durationMs: number): void {
  addToBin(durations, binOf(durationMs), 1);
}

const binOf = (ms: number): number => (ms <= 1 ? 0 : Math.min(LAST_BIN, Math.ceil(Math.log(ms) / GROWTH)));

function addToBin(durations: Durations, bin: number, added: number): void {
  const { bins, counts } = durations;
  durations.count += added;
  let at = bins.length;
  if (at === 0 || (bins[at - 1] ?? 0) < bin) {
    // The usual case, without the arrays that splice returns.
    bins.push(bin);
    counts.push(added);
    return;
  }
  while (at > 0 && (bins[at - 1] ?? 0) >= bin) at -= 1;
  if (bins[at] === bin) counts[at] = (counts[at] ?? 0) + added;
  else {
    bins.splice(at, 0, bin);
    counts.splice(at, 0, added);
  }
}

export function mergeDurations(into: Durations, from: Durations): void {
  for (let at = 0; at < from.bins.length; at += 1) addToBin(into, from.bins[at] ?? 0, from.counts[at] ?? 0);
}

/**
 * The duration that this share of the checks did not exceed, in milliseconds: the middle of its bin. Undefined without
 * a check.
 *
 * @param share from 0 to 1
 */
export function durationAt({ bins, counts, count }: Durations, share: number): number | undefined {
  if (count === 0) return undefined;
  let rest = Math.max(1, Math.ceil(share * count));
  for (const [at, bin] of bins.entries()) {
    rest -= counts[at] ?? 0;
    if (rest <= 0) return bin === 0 ? 1 : Math.round(Math.exp((bin - 0.5) * GROWTH));
  }
  return undefined;
}

export function writeDurations(writer: ByteWriter, { bins, counts }: Durations): void {
  writer.uint(bins.length);
  let last = 0;
  for (const [at, bin] of bins.entries()) {
    writer.uint(bin - last);
    writer.uint(counts[at] ?? 0);
    last = bin;
  }
}

/** The inverse of `writeDurations`: replaces what `into` holds, and keeps its memory. Throws CORRUPT. */
export function readDurations(reader: ByteReader, into: Durations): void {
  const { bins, counts } = into;
  into.count = 0;
  let [bin, used] = [0, 0];
  for (let rest = reader.uint(); rest > 0; rest -= 1) {
    bin = Math.min(bin + reader.uint(), LAST_BIN);
    const added = reader.uint();
    into.count += added;
    if (used > 0 && bins[used - 1] === bin) counts[used - 1] = (counts[used - 1] ?? 0) + added;
    else {
      bins[used] = bin;
      counts[used] = added;
      used += 1;
    }
  }
  bins.length = used;
  counts.length = used;
}
