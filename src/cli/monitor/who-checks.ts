import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerContext } from '../../container/context.ts';
import { hasNerdctlTimer } from '../../container/nerdctl/timer.ts';
import type { ContainerSummary, DaemonStatus } from '../../daemon/api/answers.ts';
import { REQUESTS } from '../../daemon/api/requests.ts';
import { scheduleFactsOf } from '../../daemon/timers/check-facts.ts';
import { timerNameOf } from '../../daemon/timers/systemd-timers.ts';
import { nextCheckAtMs } from '../../health/schedule.ts';
import type { MonitorSettings } from '../../lib/settings.ts';
import type { ContainerView } from '../../record/view.ts';
import { isNerdctls } from '../../store/state-dir.ts';
import { TRANSIENT_UNITS } from '../../system/systemd.ts';
import type { ContainerWorld } from '../context.ts';
import { NO_MONITOR_RUNS, openMonitor, whyUnmonitored } from './open.ts';

/** Who makes the checks of a container on schedule. */
export type Checker =
  | { readonly kind: 'monitor'; readonly pid: number }
  /** @see unit the timer's */
  | { readonly kind: 'systemd'; readonly unit: string }
  | { readonly kind: 'nerdctl'; readonly unit: string }
  | ({ readonly kind: 'nobody' } & Nobody);

/** Sentences without a full stop. */
interface Nobody {
  readonly why: string;
  readonly remedy: string;
  /** The words of a command line of healthctl that mends it. */
  readonly command?: readonly string[];
}

/** What the answer depends on. */
export interface CheckerFacts {
  readonly monitor: Pick<MonitorSettings, 'scheduler' | 'adopt' | 'namespaces'>;
  readonly namespace: string;
  /** Undefined if none answers. */
  readonly status: Pick<DaemonStatus, 'pid' | 'isLive' | 'namespaces'> | undefined;
  /** Why no monitor answers, as the beginning of a sentence. */
  readonly whyUnmonitored: string | undefined;
  readonly isNerdctls: boolean;
  /** Its units, where they exist. */
  readonly nerdctlTimer: string | undefined;
  readonly ownTimer: string | undefined;
}

/** Pure. */
export function checkerFrom(facts: CheckerFacts): Checker {
  const { monitor, namespace, status, nerdctlTimer, ownTimer } = facts;
  if (facts.isNerdctls && monitor.adopt !== 'always') {
    if (nerdctlTimer !== undefined) return { kind: 'nerdctl', unit: nerdctlTimer };
    if (monitor.adopt === 'never')
      return {
        ...{ kind: 'nobody', why: 'it is a container of nerdctl, which made no timer for it' },
        remedy: 'let the monitor check it: adopt = "auto" in the configuration file',
      };
  }
  if (monitor.namespaces.length > 0 && !monitor.namespaces.includes(namespace)) return unwatched(namespace);
  if (monitor.scheduler === 'systemd' && !status)
    return ownTimer === undefined ? withoutTimer : { kind: 'systemd', unit: ownTimer };
  if (!status) return withoutMonitor(facts.whyUnmonitored ?? NO_MONITOR_RUNS);
  if (status.namespaces.length > 0 && !status.namespaces.includes(namespace)) return unwatched(namespace);
  if (status.isLive) return { kind: 'monitor', pid: status.pid };
  return {
    ...{ kind: 'nobody', why: `the monitor, process ${status.pid}, has lost containerd` },
    ...{ remedy: 'see its log', command: ['daemon', 'logs'] },
  };
}

const withoutTimer: Checker = {
  ...{ kind: 'nobody', why: 'it has no systemd timer' },
  ...{ remedy: 'make the timers of all running containers', command: ['daemon', 'start'] },
};

function withoutMonitor(why: string): Checker {
  if (why !== NO_MONITOR_RUNS)
    return { kind: 'nobody', why, remedy: 'see what is wrong', command: ['daemon', 'status'] };
  return { kind: 'nobody', why, remedy: 'start the monitor', command: ['daemon', 'start'] };
}

const unwatched = (namespace: string): Checker => ({
  ...{ kind: 'nobody', why: `the monitor does not watch the namespace ${namespace}` },
  remedy: 'add it to watch_namespaces in the configuration file, and start the monitor again',
});

/** Gathers the facts. */
export async function findChecker(world: ContainerWorld, ctx: ContainerContext, view: ContainerView): Promise<Checker> {
  const { settings, signal } = world;
  const { id, labels } = view.record;
  const subject = { namespace: ctx.containerd.namespace, id, labels };
  const answer = await openMonitor(world).ask(REQUESTS.status, signal);
  const nerdctlTimer = hasNerdctlTimer(id) ? `${id}.timer` : undefined;
  return checkerFrom({
    monitor: settings.monitor,
    namespace: settings.namespace,
    status: answer?.value,
    whyUnmonitored: answer ? undefined : await whyUnmonitored(world),
    isNerdctls: isNerdctls(ctx.dirs, subject),
    nerdctlTimer,
    ownTimer: ownTimerOf(ctx, subject),
  });
}

function ownTimerOf(
  ctx: ContainerContext,
  subject: { readonly namespace: string; readonly id: string },
): string | undefined {
  return (['starting', 'regular'] as const)
    .map((phase) => `${timerNameOf(ctx.dirs.hostId, subject, phase)}.timer`)
    .find((unit) => existsSync(join(TRANSIENT_UNITS, unit)));
}

/**
 * When the next check is due, wall time; undefined if none is. The monitor says it; a timer's is computed, and of
 * nerdctl's it is about then.
 */
export async function nextCheckOf(
  world: ContainerWorld,
  ctx: ContainerContext,
  { view, checker }: { readonly view: ContainerView; readonly checker: Checker },
): Promise<number | undefined> {
  if (checker.kind === 'nobody') return undefined;
  const list =
    checker.kind === 'monitor'
      ? await openMonitor(world).ask(REQUESTS.list(ctx.containerd.namespace), world.signal)
      : undefined;
  const toldMs = nextCheckIn(list?.value ?? [], view.record.id);
  if (toldMs !== undefined) return toldMs;
  const facts = await scheduleFactsOf(ctx, view);
  return facts && nextCheckAtMs(facts);
}

/** Undefined while the check is in flight, and of an older monitor. */
export function nextCheckIn(
  list: readonly { readonly record: Pick<ContainerSummary['record'], 'id'>; readonly nextCheckAt?: string | null }[],
  id: string,
): number | undefined {
  const at = list.find(({ record }) => record.id === id)?.nextCheckAt;
  return at ? Date.parse(at) : undefined;
}
