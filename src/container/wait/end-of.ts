import type { Exit } from '../../containerd/tasks.ts';
import type { CallOptions } from '../../containerd/transport.ts';
import { hasCode } from '../../lib/errors.ts';
import type { ContainerContext } from '../context.ts';

/** containerd notices the death of a shim within milliseconds, and then deletes its task. */
const POLL_MS = 100;
const LOOK_LIMIT_MS = 10_000;

/** containerd notices the death of a shim within milliseconds; this is for a host under load. */
const SHIM_DEATH_LIMIT_MS = 5_000;

/**
 * Makes a request that ends a container, or deletes its task. If the shim dies without an answer, this waits until
 * containerd has deleted the task: then nothing is left to do.
 *
 * @throws the error of the request if the task is still there
 */
export async function unlessShimDies(
  ctx: Pick<ContainerContext, 'containerd' | 'clock'>,
  containerId: string,
  request: () => Promise<unknown>,
): Promise<void> {
  try {
    await request();
  } catch (error) {
    if (!hasCode(error, 'UNKNOWN') || !(await isDeleted(ctx, containerId))) throw error;
  }
}

async function isDeleted(ctx: Pick<ContainerContext, 'containerd' | 'clock'>, containerId: string): Promise<boolean> {
  try {
    return (await endOfContainer(ctx, containerId, { timeoutMs: SHIM_DEATH_LIMIT_MS })) === undefined;
  } catch (error) {
    if (hasCode(error, 'TIMEOUT', 'UNKNOWN')) return false;
    throw error;
  }
}

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
      await clock.sleep(POLL_MS, signal);
    }
  }
}
