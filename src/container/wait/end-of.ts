import type { Exit } from '../../containerd/tasks.ts';
import type { CallOptions } from '../../containerd/transport.ts';
import { hasCode } from '../../lib/errors.ts';
import type { ContainerContext } from '../context.ts';

/** containerd sees within milliseconds that a shim has died, and then forgets its task. */
const LOOK_EVERY_MS = 100;
const LOOK_LIMIT_MS = 10_000;

/**
 * Waits for the end of a container. A shim that dies takes its answer with it: then containerd is asked for the task until that is gone.
 *
 * @param options.timeoutMs of each question, and of the time until a task is gone whose shim has died. Default: none, and 10 s
 * @returns undefined when containerd knows no code: it was removed, or its shim died
 * @throws UNKNOWN when the shim has closed the connection, and the container is not over by then; TIMEOUT
 */
export async function endOfContainer(
  { containerd, clock }: Pick<ContainerContext, 'containerd' | 'clock'>,
  containerId: string,
  options: CallOptions = {},
): Promise<Exit | undefined> {
  const { signal, timeoutMs = LOOK_LIMIT_MS } = options;
  let deadline: number | undefined;
  for (;;) {
    try {
      return await containerd.tasks.wait({ containerId }, options);
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined;
      deadline ??= clock.monotonic() + timeoutMs;
      if (!hasCode(error, 'UNKNOWN') || clock.monotonic() >= deadline) throw error;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}
