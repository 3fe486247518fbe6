import { publishRestart } from '../events/own-events.ts';
import type { ContainerContext } from './context.ts';
import { viewRecord } from './resolve.ts';
import { forgetRestarts } from './restart-record.ts';
import { startContainer } from './start.ts';
import { type StopOptions, stopContainer } from './stop.ts';
import type { ContainerView } from './view.ts';

/** Stops a container if it runs, and starts it. */
export async function restartContainer(
  ctx: ContainerContext,
  view: ContainerView,
  options: StopOptions = {},
): Promise<void> {
  await stopContainer(ctx, view, options);
  forgetRestarts({ dirs: ctx.dirs, namespace: ctx.containerd.namespace }, view.record.id);
  // Its labels have changed, and so has its task.
  const stopped = await viewRecord(ctx, await ctx.containerd.containers.get(view.record.id));
  await startContainer(ctx, stopped);
  await publishRestart({ events: ctx.containerd.events, log: ctx.log }, { id: view.record.id });
}
