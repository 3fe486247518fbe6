import { lstatSync } from 'node:fs';
import type { Clock } from '../../lib/clock.ts';
import type { LogLimit } from '../../record/log-config.ts';
import { cutLogs } from './log-cut.ts';
import { liveFileOf, OUTPUT_STREAMS } from './output-files.ts';

/** Between two looks at a container that writes: one that turns from slow to fast overruns its limit by what it writes in that time. */
const LONGEST_WAIT_MS = 100;
/** So late a timer may be on a busy machine: for what comes in that time there is room. */
const LATENESS_MS = 100;
/** A look takes some 20 µs, and a cut some 100 µs more. */
const SHORTEST_WAIT_MS = 5;
/** A limit of a few blocks is not worth a look for each of them. */
const LEAST_HEADROOM_BYTES = 64 << 10;

/**
 * When to look again: half way to the moment when the limit will be reached at this rate, which may rise.
 *
 * @param headroom bytes that may still come
 * @param bytesPerMs of the last look; 0 where nothing came
 */
export function nextLookMs(headroom: number, bytesPerMs: number): number {
  const untilFullMs = bytesPerMs > 0 ? Math.max(headroom, LEAST_HEADROOM_BYTES) / bytesPerMs : Number.POSITIVE_INFINITY;
  return Math.min(Math.max(untilFullMs / 2, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
}

export interface LogLimiterOptions {
  readonly dataDir: string;
  readonly limit: LogLimit;
  readonly clock: Clock;
  /** Runs a step and deals with its error. */
  readonly attempt: (work: () => void) => void;
}

/** Keeps the output of one container within its limit while it writes. */
export interface LogLimiter {
  /** The container writes: looks at once, and then again and again. Idempotent. */
  begin(): void;
  /** It is silent, or nobody watches it any more. Idempotent. */
  rest(): void;
}

export function limitLogs({ dataDir, limit, clock, attempt }: LogLimiterOptions): LogLimiter {
  const allowed = limit.maxSize * limit.maxFile;
  const paths = OUTPUT_STREAMS.map((stream) => liveFileOf(dataDir, stream));
  let timer: { cancel(): void } | undefined;
  let last: { readonly written: number; readonly atMs: number } | undefined;
  /** What was kept after the last cut, and the length that the files had then. */
  let cut: { readonly kept: number; readonly written: number } | undefined;

  const writtenSoFar = (): number =>
    paths.reduce((sum, path) => sum + (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  /** @returns when to look again */
  const look = (): number => {
    const [written, atMs] = [writtenSoFar(), clock.monotonic()];
    // Files that are shorter were put aside or emptied.
    if (last === undefined || written < last.written) cut = undefined;
    const rate = last && atMs > last.atMs ? Math.max(0, written - last.written) / (atMs - last.atMs) : 0;
    last = { written, atMs };
    const used = cut ? cut.kept + written - cut.written : Number.POSITIVE_INFINITY;
    const coming = rate * LATENESS_MS;
    if (used + coming <= allowed) return nextLookMs(allowed - used, rate);
    cut = { kept: cutLogs(dataDir, limit, coming), written };
    return nextLookMs(allowed - cut.kept, rate);
  };
  const lookIn = (ms: number): void => {
    timer = clock.after(ms, () => {
      let waitMs = LONGEST_WAIT_MS;
      attempt(() => {
        waitMs = look();
      });
      lookIn(waitMs);
    });
  };
  return {
    begin: () => {
      if (timer) return;
      attempt(look);
      lookIn(SHORTEST_WAIT_MS); // how fast it writes is not known yet
    },
    rest: () => {
      timer?.cancel();
      timer = undefined;
      last = undefined;
    },
  };
}
