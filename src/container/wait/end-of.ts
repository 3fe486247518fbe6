import type { Exit } from '../../containerd/tasks.ts';
import type { CallOptions } from '../../containerd/transport.ts';
import { hasCode } from '../../lib/errors.ts';
import type { ContainerContext } from '../context.ts';

/** containerd notices the death of a shim within milliseconds, and then deletes its task. */
const LOOK_EVERY_MS = 100;
const LOOK_LIMIT_MS = 10_000;

/**
 * Waits for the end of a container. If its shim dies without an answer, containerd is asked for the task until that is
 * gone.
 *
 * @param options.timeoutMs limit for each request, and for the removal of a task whose shim has died. Default: none,
 *   and 10 s
 * @returns undefined if containerd has no code: it was removed, or its shim died
 * @throws UNKNOWN if the shim has closed the connection, and the container has not ended by then; TIMEOUT
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
