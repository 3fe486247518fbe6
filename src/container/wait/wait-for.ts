import type { ContainerdEvent } from '../../containerd/events.ts';
import { nextOf } from '../../containerd/next-event.ts';
import { parseOwnEvent } from '../../events/own-events.ts';
import { isChecked } from '../../health/config.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { CHECK_EXEC_PREFIX } from '../../probe/check-execs.ts';
import { type ContainerView, givenHealthConfigOf, refuseUnknown } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { readHealth } from '../health.ts';
import { viewRecord } from '../resolve.ts';
import { type BadEnd, type Comeback, findComeback } from './comeback.ts';
import { isAboutHealth, judge, type Seen, type Verdict, type WaitCondition } from './wait-condition.ts';

/** Observes what happens to containers from a moment on. */
export interface Watch {
  readonly events: AsyncIterator<ContainerdEvent>;
  /** Fires with the caller's signal, and at `stop`. */
  readonly ended: AbortSignal;
  stop(): void;
}

/**
 * For callers that are about to start the container that they will wait for: it may have ended and been removed before
 * the start returns.
 */
export async function watchFor(ctx: ContainerContext, signal: AbortSignal): Promise<Watch> {
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  // Not `for await`, which would end the subscription at the first relevant event.
  const events = (await ctx.containerd.events.subscribe({ signal: ended, withoutExecs: CHECK_EXEC_PREFIX }))[
    Symbol.asyncIterator
  ]();
  return { events, ended, stop: () => over.abort() };
}

export interface WaitOptions {
  readonly signal: AbortSignal;
  /** Opened before the start of the container: then its end is known in any case. Stopped with the wait. */
  readonly watch?: Watch;
  /** Whether the view was read after `watch` was opened: then what happened since counts. Default: no. */
  readonly isViewCurrent?: boolean;
  /** Default: no limit. */
  readonly timeoutMs?: number;
  /** Conditions that mean failure: they end the wait only if nothing will start the container again. */
  readonly failures?: readonly WaitCondition[];
  /** Whether a monitor runs that restarts containers. Called for a container that has ended; default: no. */
  readonly hasMonitor?: () => Promise<boolean>;
}

/** The result of a wait. */
export interface Waited {
  readonly condition: WaitCondition;
  /** Of the last ended run, if known. */
  readonly exitCode: number | undefined;
}

/**
 * Waits until one of the conditions holds; returns at once if one does. It subscribes to events, reads the container's
 * facts, and reads them again after each relevant event. The event itself is used only for an exit, because the
 * container may run again by the time of the read. An end does not count while something will start the container
 * again: then it reads the facts each second, because no event reports the end of a monitor.
 *
 * @throws CONFLICT for a health that is not reached: `container web exited (3) before it was healthy`, and `container
 *   has no health check configured`; TIMEOUT; ABORTED
 */
export async function waitFor(
  ctx: ContainerContext,
  view: ContainerView,
  conditions: readonly WaitCondition[],
  options: WaitOptions,
): Promise<Waited> {
  const { signal, timeoutMs, watch: opened } = options;
  const isHealthNeeded = conditions.some(isAboutHealth);
  const watch = opened ?? (await watchFor(ctx, signal));
  let isLate = false;
  const expire = async (ms: number): Promise<void> => {
    await ctx.clock.sleep(ms, watch.ended);
    isLate = !watch.ended.aborted;
    watch.stop();
  };
  if (timeoutMs !== undefined) void expire(timeoutMs);
  try {
    if (isHealthNeeded && !isChecked(givenHealthConfigOf(view.record.labels)))
      throw new HealthctlError('CONFLICT', 'container has no health check configured');
    return await follow({ ctx, view, conditions, isHealthNeeded, watch, sawStart: opened !== undefined, options });
  } catch (error) {
    if (!isLate) throw error;
    const what = conditions.join(' or ');
    throw new HealthctlError('TIMEOUT', `container ${view.name} is not ${what} after ${(timeoutMs ?? 0) / 1000}s`);
  } finally {
    watch.stop();
  }
}

interface Following {
  readonly ctx: ContainerContext;
  readonly view: ContainerView;
  readonly conditions: readonly WaitCondition[];
  readonly isHealthNeeded: boolean;
  readonly watch: Watch;
  /** Whether events were followed from before the start: then the event of its end precedes that of its removal. */
  readonly sawStart: boolean;
  readonly options: Pick<WaitOptions, 'failures' | 'hasMonitor' | 'isViewCurrent'>;
}

const READ_AGAIN_MS = 1_000;

async function follow(following: Following): Promise<Waited> {
  const { ctx, view, conditions, watch, sawStart } = following;
  const { namespace } = ctx.containerd;
  const { id } = view.record;
  const nextEvent = () => nextOf(watch.events, (next) => next.namespace === namespace && concerns(next, following, id));
  let seen = following.options.isViewCurrent
    ? await factsFrom(following, view, undefined)
    : await readFacts(following, undefined);
  let isRemovalSeen = false;
  let coming: Promise<ContainerdEvent> | undefined;
  let isWarned = false;
  for (;;) {
    const isEndToCome: boolean = sawStart && seen.state === 'removed' && !seen.hasExited && !isRemovalSeen;
    const verdict: Verdict = isEndToCome ? PENDING : judge(conditions, seen);
    const comeback: Comeback = verdict.kind === 'pending' ? 'nobody' : await whoRestarts(following, verdict, seen);
    const isToComeBack: boolean = comeback !== 'nobody';
    if (verdict.kind !== 'pending' && !isToComeBack) return waitedFor(view, verdict, seen);
    if (comeback === 'monitor' && !isWarned) ctx.log.warn(comebackText(view, seen));
    isWarned = seen.health !== 'healthy' && (isWarned || comeback === 'monitor');
    coming ??= nextEvent();
    coming.catch(() => undefined); // the result may be unused
    const event: ContainerdEvent | undefined = await (isToComeBack ? Promise.race([coming, pause(following)]) : coming);
    if (event) coming = undefined;
    isRemovalSeen ||= event?.kind === 'container-deleted';
    seen = (event && seenIn(event, seen)) ?? (await readFacts(following, seen));
  }
}

const PENDING: Verdict = { kind: 'pending' };
type Decided = Exclude<Verdict, { kind: 'pending' }>;

async function pause({ ctx, watch }: Following): Promise<undefined> {
  await ctx.clock.sleep(READ_AGAIN_MS, watch.ended);
}

function waitedFor({ name }: ContainerView, verdict: Decided, seen: Seen): Waited {
  if (verdict.kind === 'reached') return { condition: verdict.condition, exitCode: seen.exit?.code };
  throw new HealthctlError('CONFLICT', `container ${name} ${verdict.reason}`);
}

/** Whether a condition that would end the wait is a failure after which something starts the container again. */
async function whoRestarts({ ctx, view, watch, options }: Following, verdict: Decided, seen: Seen): Promise<Comeback> {
  const { failures = [], hasMonitor } = options;
  if (verdict.kind === 'reached' && !failures.includes(verdict.condition)) return 'nobody';
  const end = badEndOf(seen);
  if (!end) return 'nobody';
  try {
    const { id, labels } = await ctx.containerd.containers.get(view.record.id, { signal: watch.ended });
    const comeback = findComeback(ctx, { id, labels }, end);
    return comeback === 'monitor' && (await hasMonitor?.()) !== true ? 'nobody' : comeback;
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    return 'nobody';
  }
}

/** Shown for a restart by the monitor, which may take long; a command restarts the container in a moment. */
function comebackText({ name }: ContainerView, seen: Seen): string {
  const what = seen.state === 'exited' ? `exited (${seen.exit?.code ?? 0})` : 'is unhealthy';
  return `container ${name} ${what}: waiting for its restart`;
}

function badEndOf({ state, health, exit }: Seen): BadEnd | undefined {
  if (state === 'exited') return { kind: 'exited', exitCode: exit?.code ?? 0, atMs: exit?.atMs ?? 0 };
  return health === 'unhealthy' ? { kind: 'unhealthy' } : undefined;
}

/** Whether an event may change the facts. Other tools write labels after a check: that is the only sign of it. */
function concerns(event: ContainerdEvent, { isHealthNeeded }: Following, id: string): boolean {
  switch (event.kind) {
    case 'task-started':
    case 'task-exited':
    case 'task-paused':
    case 'task-resumed':
    case 'container-deleted':
      return event.id === id;
    case 'container-updated':
      return isHealthNeeded && event.id === id;
    case 'own': {
      if (!isHealthNeeded) return false;
      const own = parseOwnEvent(event);
      return own?.kind === 'health-status' && own.id === id;
    }
    case 'container-created':
    case 'task-created':
    case 'task-deleted':
    case 'task-oom':
    case 'exec-added':
    case 'exec-started':
    case 'exec-exited':
    case 'image-created':
    case 'image-updated':
    case 'image-deleted':
      return false;
  }
}

/** The facts that the event itself proves; undefined if they have to be read. */
function seenIn(event: ContainerdEvent, before: Seen): Seen | undefined {
  if (event.kind === 'container-deleted') return { ...before, state: 'removed', health: undefined };
  if (event.kind !== 'task-exited') return undefined;
  // Of an earlier run, or known already: the event was under way when we read the facts.
  const isOld = event.exitedAtMs <= (before.exit?.atMs ?? 0) || (before.pid !== undefined && before.pid !== event.pid);
  if (isOld) return undefined;
  const exit = { code: event.exitStatus, atMs: event.exitedAtMs };
  return { state: 'exited', health: undefined, pid: undefined, exit, hasExited: true };
}

async function readFacts(following: Following, before: Seen | undefined): Promise<Seen> {
  const { ctx, view, watch } = following;
  try {
    const { ended: signal } = watch;
    const now = await viewRecord(ctx, await ctx.containerd.containers.get(view.record.id, { signal }), { signal });
    if (now.isStateUnknown && before) return before; // a later event will show it
    return await factsFrom(following, now, before);
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    return { ...memoryOf(before), state: 'removed', health: undefined, pid: undefined };
  }
}

const memoryOf = (before: Seen | undefined) => ({ exit: before?.exit, hasExited: before?.hasExited ?? false });

async function factsFrom(
  { ctx, isHealthNeeded }: Pick<Following, 'ctx' | 'isHealthNeeded'>,
  now: ContainerView,
  before: Seen | undefined,
): Promise<Seen> {
  refuseUnknown(now);
  const memory = memoryOf(before);
  const isLive = now.state === 'running' || now.state === 'paused';
  const health = isHealthNeeded && isLive ? (await readHealth(ctx, now)).state?.status : undefined;
  // Between the end of a run and the next one the task is gone, and with it the exit.
  const isKnown = now.exit && (now.exit.atMs !== undefined || !memory.exit);
  const exit = now.exit && isKnown ? { code: now.exit.code, atMs: now.exit.atMs ?? 0 } : memory.exit;
  // The facts may be ahead of the event.
  const hasExited = memory.hasExited || (before !== undefined && (exit?.atMs ?? 0) > (before.exit?.atMs ?? 0));
  return { state: now.state, health, pid: isLive ? now.task?.pid : undefined, exit, hasExited };
}
