import { lstatSync } from 'node:fs';
import type { Clock } from '../../lib/clock.ts';
import type { LogLimit } from '../../record/log-config.ts';
import { cutLogs } from './log-cut.ts';
import { liveFileOf, OUTPUT_STREAMS } from './output-files.ts';

/**
 * Longest wait between two measurements while a container writes: if it suddenly writes faster, it exceeds its limit by
 * the output of that time.
 */
const LONGEST_WAIT_MS = 100;
/** How late a timer may be on a busy machine: there is room for the output of that time. */
const LATENESS_MS = 100;
/** A measurement takes some 20 µs, and a cut some 100 µs more. */
const SHORTEST_WAIT_MS = 5;
/** A limit of a few blocks is not worth a measurement for each of them. */
const LEAST_HEADROOM_BYTES = 64 << 10;

/**
 * When to measure again: half way to the moment at which the limit will be reached at this rate, which may rise.
 *
 * @param headroom remaining bytes
 * @param bytesPerMs since the last measurement; 0 if nothing came
 */
export function nextMeasureMs(headroom: number, bytesPerMs: number): number {
  const untilFullMs = bytesPerMs > 0 ? Math.max(headroom, LEAST_HEADROOM_BYTES) / bytesPerMs : Number.POSITIVE_INFINITY;
  return Math.min(Math.max(untilFullMs / 2, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
}

export interface LogLimiterOptions {
  readonly dataDir: string;
  readonly limit: LogLimit;
  readonly clock: Clock;
  /** Runs a step and handles its error. */
  readonly attempt: (work: () => void) => void;
}

/** Keeps the output of one container within its limit while it writes. */
export interface LogLimiter {
  /** The container writes: measures at once, and then repeatedly. Idempotent. */
  begin(): void;
  /** It is silent, or no longer followed. Idempotent. */
  rest(): void;
}

export function limitLogs({ dataDir, limit, clock, attempt }: LogLimiterOptions): LogLimiter {
  const allowed = limit.maxSize * limit.maxFile;
  const paths = OUTPUT_STREAMS.map((stream) => liveFileOf(dataDir, stream));
  let timer: { cancel(): void } | undefined;
  let last: { readonly written: number; readonly atMs: number } | undefined;
  /** The kept bytes after the last cut, and the length of the files then. */
  let cut: { readonly kept: number; readonly written: number } | undefined;

  const writtenSoFar = (): number =>
    paths.reduce((sum, path) => sum + (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  /** @returns when to measure again */
  const measure = (): number => {
    const [written, atMs] = [writtenSoFar(), clock.monotonic()];
    // Shorter files were renamed or truncated.
    if (last === undefined || written < last.written) cut = undefined;
    const rate = last && atMs > last.atMs ? Math.max(0, written - last.written) / (atMs - last.atMs) : 0;
    last = { written, atMs };
    const used = cut ? cut.kept + written - cut.written : Number.POSITIVE_INFINITY;
    const coming = rate * LATENESS_MS;
    if (used + coming <= allowed) return nextMeasureMs(allowed - used, rate);
    cut = { kept: cutLogs(dataDir, limit, coming), written };
    return nextMeasureMs(allowed - cut.kept, rate);
  };
  const measureIn = (ms: number): void => {
    timer = clock.after(ms, () => {
      let waitMs = LONGEST_WAIT_MS;
      attempt(() => {
        waitMs = measure();
      });
      measureIn(waitMs);
    });
  };
  return {
    begin: () => {
      if (timer) return;
      attempt(measure);
      measureIn(SHORTEST_WAIT_MS); // its rate is not known yet
    },
    rest: () => {
      timer?.cancel();
      timer = undefined;
      last = undefined;
    },
  };
}
