import type { ContainerContext } from '../../container/context.ts';
import { listContainers } from '../../container/list.ts';
import { viewRecord } from '../../container/resolve.ts';
import type { Scheduling } from '../../daemon/timers/scheduling.ts';
import { LABELS } from '../../lib/labels.ts';
import { isSystemdRunning } from '../../system/systemd.ts';
import type { World } from '../../world.ts';
import { type ContainerWorld, openContainers, worldIn } from '../context.ts';
import { programOf } from '../program.ts';

/** The settings that decide whether systemd timers make the checks, and the environment for starting this program. */
export type TimerWorld = Pick<World, 'settings' | 'env'>;

/**
 * Call it after a container was started, or resumed. Does nothing unless `scheduler = "systemd"`. Never fails: a
 * missing timer is a warning.
 */
export async function makeTimer(
  world: TimerWorld,
  ctx: ContainerContext,
  { id, isResumed }: { readonly id: string; readonly isResumed: boolean },
): Promise<void> {
  const { namespaces } = world.settings.monitor;
  if (!usesTimers(world) || (namespaces.length > 0 && !namespaces.includes(ctx.containerd.namespace))) return;
  const [scheduling, record] = await Promise.all([openScheduling(world), ctx.containerd.containers.get(id)]);
  const view = await viewRecord(ctx, record);
  await (isResumed ? scheduling.onResumed(ctx, view) : scheduling.onStarted(ctx, view));
}

/**
 * Creates the timers of all our running containers with a check, as if they had just been started: for those that ran
 * while a monitor made the checks. Throws if containerd does not answer; a timer that cannot be created is a warning.
 */
export async function makeAllTimers(world: ContainerWorld): Promise<void> {
  const scheduling = await openScheduling(world);
  const monitored = world.settings.monitor.namespaces;
  const all = await (await world.containerd()).host.namespaces();
  for (const namespace of monitored.length > 0 ? all.filter((name) => monitored.includes(name)) : all) {
    const ctx = await openContainers(worldIn(world, namespace));
    for (const { view } of await listContainers(ctx, {
      keep: ({ record }) => record.labels[LABELS.owner] !== undefined,
    }))
      await scheduling.onStarted(ctx, view);
  }
}

/** Call it before a container is paused, and after it was ended or removed. Otherwise like makeTimer. */
export async function endTimer(world: TimerWorld, ctx: ContainerContext, id: string): Promise<void> {
  if (!usesTimers(world)) return;
  await (await openScheduling(world)).onEnded(ctx, { namespace: ctx.containerd.namespace, id });
}

/** Called by a monitor that starts: it makes the checks now, and existing timers would make them twice. Never fails. */
export async function sweepTimers(world: Parameters<typeof openContainers>[0] & TimerWorld): Promise<void> {
  if (!isSystemdRunning()) return;
  await (await openScheduling(world)).sweep(await openContainers(world), []);
}

/** Whether health is kept up to date without a monitor. */
export function usesTimers({ settings }: Pick<World, 'settings'>): boolean {
  return settings.monitor.scheduler === 'systemd';
}

async function openScheduling(world: TimerWorld): Promise<Scheduling> {
  const { createScheduling } = await import('../../daemon/timers/scheduling.ts');
  return createScheduling({ ...programOf(world), adopt: world.settings.monitor.adopt });
}
