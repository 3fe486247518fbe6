import type { ContainerContext } from '../../container/context.ts';
import type { ContainerRecord } from '../../containerd/containers.ts';
import { REQUESTS } from '../../daemon/api/requests.ts';
import type { AutostartedApi } from '../../daemon/autostart.ts';
import { isChecked } from '../../health/config.ts';
import type { RestartPolicy } from '../../health/restart-policy.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import { monitorNeedsOf } from '../../record/monitor-needs.ts';
import { givenHealthConfigOf } from '../../record/view.ts';
import type { World } from '../../world.ts';
import { openMonitor } from './open.ts';
import { endTimer, makeTimer } from './timers.ts';

export type MonitorWorld = Pick<World, 'settings' | 'clock' | 'env' | 'signal' | 'log'>;

/**
 * Starts a monitor unless one runs. Throws UNAVAILABLE if it does not come up.
 *
 * @param dockerApi what it is to serve; one that a command started without it is replaced
 */
export async function startMonitor(
  { settings, clock, env, signal, log }: MonitorWorld,
  dockerApi?: AutostartedApi,
): Promise<void> {
  const { ensureDaemon } = await import('../../daemon/autostart.ts');
  const { systemdStarter } = await import('../../daemon/service-unit/start.ts');
  const program = process.argv[1] ?? '';
  const startBySystemd = systemdStarter(settings, env);
  await ensureDaemon({ settings, clock, env, program, signal, log, startBySystemd, dockerApi });
}

/** A command's change of a container, done or about to be done. */
export type Change =
  /** It was created, renamed, updated, signalled or paused. */
  | { readonly kind: 'changed' }
  /**
   * @see isAttached this process itself waits for the end, and removes a container with `--rm`
   * @see isWaitedFor a client waits for its health: it is then an error if it is not checked
   */
  | { readonly kind: 'started'; readonly isAttached?: boolean; readonly isWaitedFor?: boolean }
  | { readonly kind: 'pausing' }
  /** After a pause, or a failed pause. */
  | { readonly kind: 'resumed' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'removed' };

/**
 * Announces a change of a container to what checks it: the monitor, or its systemd timer. It is the only function by
 * which commands reach either.
 *
 * A running monitor is asked to refresh the container, so that later output shows the change. A monitor is started if a
 * started container needs it; a failure is a warning, since the container runs.
 */
export async function announceChange(
  world: MonitorWorld,
  ctx: ContainerContext,
  id: string,
  change: Change,
): Promise<void> {
  switch (change.kind) {
    case 'changed':
      return void (await refreshMonitor(world, id));
    case 'started':
      return followStart(world, ctx, id, change);
    case 'pausing':
    case 'removed':
      return endTimer(world, ctx, id);
    case 'resumed':
      return followStart(world, ctx, id, change);
    case 'ended':
      await endTimer(world, ctx, id);
      await refreshMonitor(world, id);
  }
}

/** Asks the monitor to refresh a container, and waits for that. Never fails. @returns whether a monitor runs */
export async function refreshMonitor(world: MonitorWorld, id: string): Promise<boolean> {
  const { settings, signal, log } = world;
  try {
    return (await openMonitor(world).ask(REQUESTS.refresh(settings.namespace, id), signal)) !== undefined;
  } catch (error) {
    log.debug(`the monitor could not refresh container ${id}: ${messageOf(error)}`);
    return false;
  }
}

async function followStart(
  world: MonitorWorld,
  ctx: ContainerContext,
  id: string,
  change: Extract<Change, { kind: 'started' | 'resumed' }>,
): Promise<void> {
  if (await refreshMonitor(world, id)) return;
  await makeTimer(world, ctx, { id, isResumed: change.kind === 'resumed' });
  const isAttached = change.kind === 'started' && change.isAttached === true;
  const isWaitedFor = change.kind === 'started' && change.isWaitedFor === true;
  const needs = monitorNeedsOf(await ctx.containerd.containers.get(id));
  const removal = needs.removal && !isAttached;
  if (!needs.check && !needs.restart && !needs.logLimit && !needs.jsonLog && !needs.names && !removal) return;
  if (!isWanted(world.settings)) {
    if (needs.check && isWaitedFor) refuseUnchecked(world);
    if (needs.restart) world.log.warn('no monitor runs: nothing starts the container again when it has ended');
    if (needs.logLimit) world.log.warn('no monitor runs: nothing limits the log of the container');
    if (needs.jsonLog) world.log.warn('no monitor runs: nothing writes the JSON log of the container');
    if (removal) world.log.warn('no monitor runs: nothing removes the container when it has ended');
    return;
  }
  if (needs.check && isWaitedFor) await startMonitor(world);
  else await startOrWarn(world);
}

/**
 * Call it before waiting for a container's health: starts a monitor if none runs any more, for example after a reboot.
 */
export async function ensureChecked(
  world: MonitorWorld,
  record: Pick<ContainerRecord, 'id' | 'labels'>,
): Promise<void> {
  if (!isChecked(givenHealthConfigOf(record.labels))) return;
  if (isWanted(world.settings))
    await startOrWarn(world); // no effect if one runs
  else if (!(await refreshMonitor(world, record.id))) warnUnchecked(world);
}

/** Without a monitor or timer, such a wait ends only with a check by hand. */
function warnUnchecked({ settings, log }: Pick<MonitorWorld, 'settings' | 'log'>): void {
  if (settings.monitor.scheduler !== 'daemon') return; // timers check
  log.warn('no monitor checks this container');
}

/** Throws UNAVAILABLE unless timers make the checks: a wait for health would never end. */
function refuseUnchecked({ settings }: Pick<MonitorWorld, 'settings'>): void {
  if (settings.monitor.scheduler !== 'daemon') return;
  throw new HealthctlError('UNAVAILABLE', 'no monitor checks this container', {
    hint: 'it runs; start a monitor with "healthctl daemon start", or leave out --wait',
    exitCode: 1,
  });
}

/** A monitor with another run root makes the checks, and stores their results there. */
async function startOrWarn(world: MonitorWorld): Promise<void> {
  try {
    await startMonitor(world);
  } catch (error) {
    if (hasCode(error, 'CONFLICT')) world.log.warn(`${error.message}; ${error.hint}`);
    else world.log.warn(`no monitor checks this container: ${messageOf(error)}`);
  }
}

/** A monitor that a command started does not survive a reboot. */
export async function warnOfReboot(
  { settings, log }: Pick<World, 'settings' | 'log'>,
  { name }: RestartPolicy,
): Promise<void> {
  if (name === 'no') return;
  const { isUnitInstalled } = await import('../../daemon/service-unit/install.ts');
  if (isUnitInstalled(settings)) return;
  log.warn('nothing starts this container after a reboot: install the monitor with "healthctl daemon install"');
}

/** Whether a command should start a monitor for this namespace. */
function isWanted({ monitor, namespace }: World['settings']): boolean {
  if (!monitor.autostart || monitor.scheduler !== 'daemon') return false;
  return monitor.namespaces.length === 0 || monitor.namespaces.includes(namespace);
}
