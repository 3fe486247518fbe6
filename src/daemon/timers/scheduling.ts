import type { ContainerContext } from '../../container/context.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf } from '../../lib/errors.ts';
import type { MonitorSettings } from '../../lib/settings.ts';
import { yieldToNerdctl } from '../../monitor/duties/adoption.ts';
import type { ContainerView } from '../../record/view.ts';
import { type Systemd, systemd as systemdHere } from '../../system/systemd.ts';
import { globalFlagsOf } from '../service-unit/unit.ts';
import { scheduleFactsOf } from './check-facts.ts';
import { createTimers, type TimerSubject, type Timers } from './systemd-timers.ts';
import { planTimer } from './timer-plan.ts';

/**
 * Hooks of `scheduler = "systemd"`, called by commands that change a container's state, so that exactly the running
 * containers with a check have a timer, except those that nerdctl's timer checks. None of them throws: a missing timer
 * is a warning, and the command's change stays.
 */
export interface Scheduling {
  /**
   * After a start or a restart, with the view of the running container. The first check is due one wait after the start
   * of the run.
   */
  onStarted(ctx: ContainerContext, view: ContainerView): Promise<void>;
  /** After an unpause: the next check is due one wait from now. */
  onResumed(ctx: ContainerContext, view: ContainerView): Promise<void>;
  /**
   * Before a pause, and after a stop, a kill that ended the container, or a removal. A check in flight is cancelled
   * when it returns.
   */
  onEnded(ctx: ContainerContext, subject: TimerSubject): Promise<void>;
  /**
   * Removes all timers of this containerd except those of these containers; all of them if something else makes the
   * checks.
   */
  sweep(ctx: ContainerContext, existing: readonly TimerSubject[]): Promise<void>;
}

export interface SchedulingDeps {
  /** The command of this healthctl: Node.js with its flags, and bin/healthctl, both by absolute path. */
  readonly program: readonly string[];
  /** The configuration file in $HEALTHCTL_TOML, if set. */
  readonly configFile: string | undefined;
  readonly systemd?: Systemd;
}

export function createScheduling(deps: SchedulingDeps & { readonly adopt: MonitorSettings['adopt'] }): Scheduling {
  const { systemd = systemdHere } = deps;
  const ensure = (ctx: ContainerContext, view: ContainerView, fromMs: number | undefined) =>
    orWarn(ctx, `nothing checks container ${view.name} by itself`, async () => {
      const facts = await scheduleFactsOf(ctx, view);
      if (!facts) return;
      systemd.require();
      const [timers, subject] = [timersOf(ctx, deps), { namespace: ctx.containerd.namespace, id: view.record.id }];
      if (await yieldToNerdctl(ctx, view.record, deps)) return timers.removeTimer(subject);
      await timers.ensureTimer(subject, planTimer({ ...facts, fromMs: fromMs ?? facts.fromMs }));
    });
  return {
    onStarted: (ctx, view) => ensure(ctx, view, undefined),
    onResumed: (ctx, view) => ensure(ctx, view, ctx.clock.now()),
    onEnded: (ctx, { namespace, id }) =>
      orWarn(ctx, `the timer of container ${id} could not be removed`, () =>
        timersOf(ctx, deps).removeTimer({ namespace, id }),
      ),
    sweep: (ctx, existing) =>
      orWarn(ctx, 'timers that nobody needs could not be removed', async () => {
        const count = await timersOf(ctx, deps).sweepTimers(existing);
        if (count > 0) ctx.log.debug(`removed ${counted(count, 'timer')}`);
      }),
  };
}

/** The timers of this context's containerd and directories. */
export function timersOf(ctx: ContainerContext, deps: SchedulingDeps): Timers {
  const { containerd, clock, dirs, snapshotter } = ctx;
  const { address, namespace } = containerd;
  const flags = globalFlagsOf({ address, snapshotter, runRoot: dirs.runRoot, dataRoot: dirs.dataRoot });
  return createTimers({
    systemd: deps.systemd ?? systemdHere,
    clock,
    hostId: dirs.hostId,
    command: [...deps.program, ...flags, '--namespace', namespace, 'daemon', 'check-once'],
    environment: deps.configFile === undefined ? {} : { HEALTHCTL_TOML: deps.configFile },
  });
}

async function orWarn(ctx: ContainerContext, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    ctx.log.warn(`${what}: ${messageOf(error)}`);
  }
}
