import { publishRestart } from '../events/own-events.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import { isRestartedByContainerd, startedLabels } from '../record/restart-label.ts';
import { forgetRestarts } from '../record/restart-record.ts';
import type { ContainerView } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { viewRecord } from './resolve.ts';
import { startContainer } from './start.ts';
import { noteStopped, type StopOptions, stopContainer } from './stop.ts';

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
    await startAgain(ctx, stopped);
  } catch (error) {
    await noteFailed(ctx, view);
    throw error;
  }
  await publishRestart({ events: ctx.containerd.events, log: ctx.log }, { id: view.record.id });
}

/** How long to wait for a start that containerd's restart plugin has begun. */
const PLUGIN_TRIES = 50;
const PLUGIN_POLL_MS = 100;

/**
 * Starts a container that was stopped. If containerd's restart plugin decided to start it before it could see the stop,
 * its start counts as ours: then only the record of the stop is removed.
 */
export async function startAgain(ctx: ContainerContext, stopped: ContainerView): Promise<void> {
  const { id, labels } = stopped.record;
  if (!isRestartedByContainerd(labels)) return startContainer(ctx, stopped);
  let view = stopped;
  for (let tries = 1; view.state !== 'running'; tries += 1) {
    try {
      return await startContainer(ctx, view);
    } catch (error) {
      if (!hasCode(error, 'CONFLICT') || tries === PLUGIN_TRIES) throw error;
      await ctx.clock.sleep(PLUGIN_POLL_MS);
      view = await viewRecord(ctx, await ctx.containerd.containers.get(id));
    }
  }
  await ctx.containerd.containers.setLabels(id, startedLabels(labels));
}

/**
 * Records that the container stays stopped: its label says that this process will start it, and clients would wait as
 * long as this process lives.
 */
async function noteFailed(ctx: ContainerContext, { record: { id }, name }: ContainerView): Promise<void> {
  try {
    await noteStopped(ctx, id);
  } catch (error) {
    ctx.log.debug(`that ${name} stays stopped was not noted: ${messageOf(error)}`);
  }
}
