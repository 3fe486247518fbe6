import type { Exit } from '../containerd/tasks.ts';
import { hasCode } from '../lib/errors.ts';
import type { ContainerContext } from './context.ts';

/** containerd sees within milliseconds that a shim has died, and then forgets its task. */
const LOOK_EVERY_MS = 100;
const LOOK_LIMIT_MS = 10_000;

/**
 * Waits for the end of a container. A shim that dies takes its answer with it: then containerd is asked for the task until that is gone.
 *
 * @returns undefined when containerd knows no code: it was removed, or its shim died
 * @throws UNKNOWN when the shim has closed the connection, and the container is not over after 10 s
 */
export async function endOfContainer(
  { containerd, clock }: Pick<ContainerContext, 'containerd' | 'clock'>,
  containerId: string,
  signal?: AbortSignal,
): Promise<Exit | undefined> {
  const options = signal ? { signal } : {};
  let deadline: number | undefined;
  for (;;) {
    try {
      return await containerd.tasks.wait({ containerId }, options);
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined;
      deadline ??= clock.monotonic() + LOOK_LIMIT_MS;
      if (!hasCode(error, 'UNKNOWN') || clock.monotonic() >= deadline) throw error;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}
