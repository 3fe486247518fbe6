import type { Clock } from './clock.ts';

/**
 * Divides long work, so that no check waits for it: call the result between its parts.
 *
 * @returns lets other work of the process run once `sliceMs` have passed since the last time
 */
export function slicer(clock: Pick<Clock, 'monotonic'>, sliceMs: number): () => Promise<void> {
  let endMs = clock.monotonic() + sliceMs;
  return async () => {
    if (clock.monotonic() < endMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    endMs = clock.monotonic() + sliceMs;
  };
}
