import type { ContainerContext } from '../../container/context.ts';
import type { ContainerRecord } from '../../containerd/containers.ts';
import { containerPath } from '../../daemon/api/client.ts';
import { isChecked } from '../../health/config.ts';
import type { RestartPolicy } from '../../health/restart-policy.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import { logConfigOf, logLimitOf } from '../../record/log-config.ts';
import { restartPolicyOf } from '../../record/restart-label.ts';
import { jsonLogOf, storedConfigOf } from '../../record/stored-config.ts';
import { givenHealthConfigOf } from '../../record/view.ts';
import type { World } from '../../world.ts';
import { openMonitor } from './open.ts';
import { makeTimer } from './timers.ts';

export type MonitorWorld = Pick<World, 'settings' | 'clock' | 'env' | 'signal' | 'log'>;

/** Starts a monitor unless one runs. Throws UNAVAILABLE when it does not come up. */
export async function startMonitor({ settings, clock, env, signal, log }: MonitorWorld): Promise<void> {
  const { ensureDaemon } = await import('../../daemon/autostart.ts');
  const { systemdStarter } = await import('../../daemon/service-unit/start.ts');
  const program = process.argv[1] ?? '';
  const startBySystemd = systemdStarter(settings, env);
  await ensureDaemon({ settings, clock, env, program, signal, log, startBySystemd });
}

/**
 * Tells the monitor, if one runs, that a container was changed, and waits until it has seen that: what is shown next shows it. Never fails:
 * the monitor hears of it from containerd too.
 */
export async function tellMonitor(world: MonitorWorld, id: string): Promise<boolean> {
  const { settings, signal, log } = world;
  try {
    return (
      (await openMonitor(world).ask('POST', containerPath(settings.namespace, id, '/refresh'), signal)) !== undefined
    );
  } catch (error) {
    log.debug(`the monitor was not told: ${messageOf(error)}`);
    return false;
  }
}

/**
 * To be called after a container was started: tells the monitor, or starts one when the container leaves it something to do. That it cannot be
 * started is a warning: the container runs.
 *
 * @param options.isAttached this process waits for the end itself, and removes a container with `--rm`
 * @param options.isResumed it was unpaused, not started
 * @param options.isWaitedFor somebody waits for its health: it is an error then that nobody finds it out
 */
export async function leaveToMonitor(
  world: MonitorWorld,
  ctx: ContainerContext,
  id: string,
  options: { readonly isAttached?: boolean; readonly isResumed?: boolean; readonly isWaitedFor?: boolean } = {},
): Promise<void> {
  if (await tellMonitor(world, id)) return;
  await makeTimer(world, ctx, { id, isResumed: options.isResumed === true });
  const record = await ctx.containerd.containers.get(id);
  const isRestarted = restartPolicyOf(record.labels).name !== 'no';
  const isAutoRemoved = options.isAttached !== true && storedConfigOf(record)?.HostConfig.AutoRemove === true;
  const isLogLimited = logLimitOf(logConfigOf(storedConfigOf(record)?.HostConfig ?? {})) !== undefined;
  const stored = storedConfigOf(record);
  const isJsonLogged = stored !== undefined && jsonLogOf(stored) !== undefined;
  const hasCheck = isChecked(givenHealthConfigOf(record.labels));
  if (!hasCheck && !isAutoRemoved && !isRestarted && !isLogLimited && !isJsonLogged) return;
  if (!isWanted(world.settings)) {
    if (hasCheck && options.isWaitedFor === true) refuseUnchecked(world);
    if (isRestarted) world.log.warn('no monitor runs: nothing starts the container again when it has ended');
    if (isLogLimited) world.log.warn('no monitor runs: nothing limits the log of the container');
    if (isJsonLogged) world.log.warn('no monitor runs: nothing writes the JSON log of the container');
    if (isAutoRemoved) world.log.warn('no monitor runs: nothing removes the container when it has ended');
    return;
  }
  if (hasCheck && options.isWaitedFor === true) await startMonitor(world);
  else await startOrWarn(world);
}

/** To be called before the health of a container is waited for: starts a monitor where none runs any more, after a reboot, say. */
export async function ensureChecked(
  world: MonitorWorld,
  record: Pick<ContainerRecord, 'id' | 'labels'>,
): Promise<void> {
  if (!isChecked(givenHealthConfigOf(record.labels))) return;
  if (isWanted(world.settings))
    await startOrWarn(world); // of no effect where one runs
  else if (!(await tellMonitor(world, record.id))) warnUnchecked(world);
}

/** Where nobody checks, a wait for health takes as long as nobody checks by hand. */
function warnUnchecked({ settings, log }: Pick<MonitorWorld, 'settings' | 'log'>): void {
  if (settings.monitor.scheduler !== 'daemon') return; // timers check
  log.warn('no monitor checks this container');
}

/** Throws UNAVAILABLE unless timers check: a wait for health would take for ever. */
function refuseUnchecked({ settings }: Pick<MonitorWorld, 'settings'>): void {
  if (settings.monitor.scheduler !== 'daemon') return;
  throw new HealthctlError('UNAVAILABLE', 'no monitor checks this container', {
    hint: 'it runs; start a monitor with "healthctl daemon start", or leave out --wait',
    exitCode: 1,
  });
}

/** A monitor with another run root makes the checks, and keeps their results there. */
async function startOrWarn(world: MonitorWorld): Promise<void> {
  try {
    await startMonitor(world);
  } catch (error) {
    if (hasCode(error, 'CONFLICT')) world.log.warn(`${error.message}; ${error.hint}`);
    else world.log.warn(`no monitor checks this container: ${messageOf(error)}`);
  }
}

/** A monitor that a command started is not there after a reboot. */
export async function warnOfReboot(
  { settings, log }: Pick<World, 'settings' | 'log'>,
  { name }: RestartPolicy,
): Promise<void> {
  if (name === 'no') return;
  const { isUnitInstalled } = await import('../../daemon/service-unit/install.ts');
  if (isUnitInstalled(settings)) return;
  log.warn('nothing starts this container after a reboot: install the monitor with "healthctl daemon install"');
}

/** Whether a command is to start a monitor for this namespace. */
function isWanted({ monitor, namespace }: World['settings']): boolean {
  if (!monitor.autostart || monitor.scheduler !== 'daemon') return false;
  return monitor.namespaces.length === 0 || monitor.namespaces.includes(namespace);
}
