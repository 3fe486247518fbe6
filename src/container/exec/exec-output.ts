import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import type { Write } from '../logs/follow.ts';

/** How long a child that keeps the output open may delay the end after the program's exit. Docker waits as long. */
const QUIET_LIMIT_MS = 2_000;
const LOOK_MS = 100;

/** An output that is being copied. */
export interface DrainedOutput {
  /** Resolves when the last writer has closed it, or the reader was destroyed. */
  readonly done: Promise<void>;
  /** Since when no data has arrived, on the monotonic clock; undefined while the user still reads earlier data. */
  quietSinceMs(): number | undefined;
}

/** Copies the data of a pipe, at the speed of its reader. */
export function drainOutput(reader: Socket, write: Write, clock: Clock): DrainedOutput {
  let quietSinceMs: number | undefined = clock.monotonic();
  const copy = async (): Promise<void> => {
    for await (const bytes of reader as AsyncIterable<Buffer>) {
      quietSinceMs = undefined;
      await write(bytes);
      quietSinceMs = clock.monotonic();
    }
  };
  const done = copy().catch((error: unknown) => {
    // Destroyed by a client that left: the data so far is the output.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  });
  done.catch(() => undefined); // handled by untilDrained
  return { done, quietSinceMs: () => quietSinceMs };
}

/** Waits for the end of all outputs of a program that has exited; 2 s of silence count as the end. */
export async function untilDrained(
  outputs: readonly DrainedOutput[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const exitedAtMs = clock.monotonic();
  const settled = new AbortController();
  const all = Promise.all(outputs.map(({ done }) => done)).finally(() => settled.abort());
  const isQuiet = (): boolean =>
    outputs.every((output) => {
      const sinceMs = output.quietSinceMs();
      return sinceMs !== undefined && clock.monotonic() - Math.max(sinceMs, exitedAtMs) >= QUIET_LIMIT_MS;
    });
  const quiet = async (): Promise<void> => {
    while (!settled.signal.aborted && !signal.aborted && !isQuiet()) await clock.sleep(LOOK_MS, settled.signal);
  };
  await Promise.race([all, quiet()]);
}
