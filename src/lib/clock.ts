import { readFileSync } from 'node:fs';

/** The only source of time: tests of timing use a fake clock. */
export interface Clock {
  /** Wall time in milliseconds since the epoch. */
  now(): number;
  /** Milliseconds on a clock that never goes back. */
  monotonic(): number;
  /**
   * Milliseconds since the boot of the machine, with a precision of some 10 ms: one clock for all processes, which does
   * not jump with the wall clock.
   */
  boot(): number;
  /** Resolves after `ms`, or at once if the signal aborts. An abort is not an error; the caller checks the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `work` after `ms`, unless cancelled. Cheaper than `sleep` on hot paths: no promise, no signal. */
  after(ms: number, work: () => void): { cancel(): void };
}

/** Measures a duration during which the wall clock may jump. */
export interface Stopwatch {
  /** Wall time of the start. */
  readonly startMs: number;
  /** The start plus the elapsed time. */
  endMs(): number;
}

export function startStopwatch(clock: Pick<Clock, 'now' | 'monotonic'>): Stopwatch {
  const [startMs, beganMs] = [clock.now(), clock.monotonic()];
  return { startMs, endMs: () => startMs + clock.monotonic() - beganMs };
}

/** The longest timer of Node.js, some 24 days: longer ones fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  boot: () => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000,
  sleep: async (ms, signal) => {
    for (let rest = ms; rest > 0 && !signal?.aborted; rest -= LONGEST_TIMER_MS)
      await sleepOnce(Math.min(rest, LONGEST_TIMER_MS), signal);
  },
  after: (ms, work) => {
    let timer: NodeJS.Timeout;
    const wait = (rest: number): void => {
      timer =
        rest <= LONGEST_TIMER_MS
          ? setTimeout(work, rest)
          : setTimeout(() => wait(rest - LONGEST_TIMER_MS), LONGEST_TIMER_MS);
    };
    wait(ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
