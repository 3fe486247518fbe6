import type { Clock } from '../../lib/clock.ts';
import { hasOpen, readStat } from '../../system/proc.ts';

/** How long a child that outlived the main process may keep an output open; the shim itself waits as long. */
const LIMIT_MS = 2_000;
const LOOK_MS = 5;
/** Wait for the rest in a pipe if the shim is unknown. */
const SETTLE_MS = 200;

/**
 * The shim of a container, which copies its output: the parent of the main process. Call it while that process exists;
 * undefined once it is gone.
 *
 * @param pid of the main process
 */
export function shimOf(pid: number): number | undefined {
  return readStat(pid)?.parentPid;
}

/**
 * Waits until the shim has closed the output files of a container whose main process has exited: only then are they
 * complete. Limited to 2 s.
 *
 * @param options.shimPid undefined if the main process had already gone
 */
export async function untilCopied(options: {
  readonly shimPid: number | undefined;
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { shimPid, paths, clock, signal } = options;
  const deadline = clock.monotonic() + LIMIT_MS;
  if (shimPid === undefined) return clock.sleep(SETTLE_MS, signal);
  const isOpen = (): boolean => paths.some((path) => hasOpen(shimPid, path));
  while (isOpen() && clock.monotonic() < deadline && !signal.aborted) await clock.sleep(LOOK_MS, signal);
}
