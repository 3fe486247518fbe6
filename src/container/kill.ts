import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { parseSignal } from '../oci/signal.ts';
import { type ContainerView, refuseUnknown } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { killContainer, noteStopped, resumeContainer, sendSignal, signalled } from './stop.ts';

const SIGKILL = 9;

export interface KillOptions {
  /** Default SIGKILL. */
  readonly signal?: string;
  readonly abort?: AbortSignal;
}

/**
 * Sends a signal to a running container. After SIGKILL it is gone. A signal that is meant to end it, SIGKILL or its own
 * stop signal, is recorded as a stop by the user, and also resumes a paused container (Docker: daemon/kill.go). A
 * container that waits for its restart is not started again.
 *
 * @throws USAGE for an unknown signal; CONFLICT with Docker's text for a container that does not run
 */
export async function signalContainer(
  ctx: ContainerContext,
  view: ContainerView,
  options: KillOptions = {},
): Promise<void> {
  const signal = parseSignal(options.signal ?? 'KILL');
  refuseUnknown(view);
  const { id, labels } = view.record;
  const isLast = signal === SIGKILL || signal === stopSignalOf(labels);
  if (view.state === 'restarting') {
    // There is no process: it is not started again.
    if (isLast) await noteStopped(ctx, id);
    return;
  }
  if (view.state !== 'running' && view.state !== 'paused')
    throw new HealthctlError('CONFLICT', `container ${id} is not running`);
  if (isLast) await noteStopped(ctx, id);
  if (signal === SIGKILL) await killContainer(ctx, view, options.abort);
  else await signalled(view, sendSignal(ctx, id, { signal }));
  if (isLast) await ctx.endNerdctlTimer(id);
  if (isLast && signal !== SIGKILL && view.state === 'paused') await resumeContainer(ctx, id);
}

function stopSignalOf(labels: Readonly<Record<string, string>>): number | undefined {
  try {
    return parseSignal(labels[LABELS.stopSignal] ?? 'SIGTERM');
  } catch {
    return undefined; // another tool's label may contain anything
  }
}
