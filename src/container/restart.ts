import { publishRestart } from '../events/own-events.ts';
import { messageOf } from '../lib/errors.ts';
import type { ContainerContext } from './context.ts';
import { viewRecord } from './resolve.ts';
import { forgetRestarts } from './restart-record.ts';
import { startContainer } from './start.ts';
import { noteStopped, type StopOptions, stopContainer } from './stop.ts';
import type { ContainerView } from './view.ts';

/** Stops a container if it runs, and starts it. */
export async function restartContainer(
  ctx: ContainerContext,
  view: ContainerView,
  options: StopOptions = {},
): Promise<void> {
  await stopContainer(ctx, view, { ...options, isRestart: true });
  forgetRestarts({ dirs: ctx.dirs, namespace: ctx.containerd.namespace }, view.record.id);
  // Its labels have changed, and so has its task.
  const stopped = await viewRecord(ctx, await ctx.containerd.containers.get(view.record.id));
  try {
    await startContainer(ctx, stopped);
  } catch (error) {
    await noteFailed(ctx, view);
    throw error;
  }
  await publishRestart({ events: ctx.containerd.events, log: ctx.log }, { id: view.record.id });
}

/** A long-lived process that restarts would otherwise be waited for. */
async function noteFailed(ctx: ContainerContext, { record: { id }, name }: ContainerView): Promise<void> {
  try {
    await noteStopped(ctx, id);
  } catch (error) {
    ctx.log.debug(`that ${name} stays stopped was not noted: ${messageOf(error)}`);
  }
}
