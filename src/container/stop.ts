import type { ContainerdEvent } from '../containerd/events.ts';
import { nextOf } from '../containerd/next-event.ts';
import { isFinished } from '../containerd/runtime-texts.ts';
import { publishKill, publishStop } from '../events/own-events.ts';
import { rfc3339FromMillis } from '../health/result.ts';
import { runDirOf } from '../lib/dirs.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { parseSignal } from '../oci/signal.ts';
import { holdCheckOutputs } from '../probe/check-execs.ts';
import { mayBeRestarted, stoppedLabels } from '../record/restart-label.ts';
import { type ContainerView, refuseUnknown, unknownStateError } from '../record/view.ts';
import { isNerdctls } from '../store/state-dir.ts';
import type { ContainerContext } from './context.ts';
import { detachNetwork } from './network/attach.ts';
import { restartNote } from './wait/comeback.ts';
import { endOfContainer, unlessShimDies } from './wait/end-of.ts';

export interface StopOptions {
  /** Seconds until SIGKILL; −1: never. Default: the container's setting, else 10. */
  readonly timeoutS?: number;
  /** Instead of the container's own. */
  readonly signal?: string;
  /** Whether it stays stopped. Default: yes, a user stops it. */
  readonly isForGood?: boolean;
  /** Whether the caller will start it again: until then, waiting clients continue to wait. */
  readonly isRestart?: boolean;
  readonly abort?: AbortSignal;
}

/** Docker: daemon/container/container.go, the default of StopTimeout. */
const DEFAULT_TIMEOUT_S = 10;
const SIGKILL = 9;
const SIGTERM = 15;
/** How long to wait for the death of a killed container: a process in uninterruptible sleep cannot be killed. */
const DEATH_LIMIT_MS = 10_000;
/** How long the end of a process takes that was sent SIGKILL as its stop signal, until it gets another one. */
const KILLED_LIMIT_MS = 1_000;
/**
 * How long to wait for the event of an end after the answer: containerd publishes the one at about the time of the
 * other.
 */
const EVENT_LIMIT_MS = 2_000;

/**
 * Stops a container: sends its stop signal, and SIGKILL to all of its processes if it does not end in time. Sends
 * nothing to a container that does not run. Records the user's stop before it sends the signal, also for a container
 * that waits for its restart. Resumes a paused container, so that it can handle the signal.
 */
export async function stopContainer(
  ctx: ContainerContext,
  view: ContainerView,
  options: StopOptions = {},
): Promise<void> {
  refuseUnknown(view);
  const { id, labels } = view.record;
  if (view.state !== 'running' && view.state !== 'paused') {
    if (mayBeRestarted(labels)) await noteStopped(ctx, id, options);
    if (isToStay(options)) await ctx.endNerdctlTimer(id);
    return;
  }
  const timeoutS = options.timeoutS ?? ownTimeoutS(ctx, view);
  const signal = options.signal === undefined ? ownStopSignal(ctx, view) : parseSignal(options.signal);
  if (options.isForGood !== false) await noteStopped(ctx, id, options);
  const releaseOutputs = holdCheckOutputs(runDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id }));
  const ended = await watchExit(ctx, id, options.abort);
  try {
    await signalled(view, sendSignal(ctx, id, { signal }));
    if (view.state === 'paused') await resumeContainer(ctx, id);
    const limitMs =
      timeoutS < 0 ? Number.POSITIVE_INFINITY : Math.max(timeoutS * 1000, signal === SIGKILL ? KILLED_LIMIT_MS : 0);
    if (!(await ended.within(limitMs))) {
      await signalled(view, killAll(ctx, id));
      if (!(await ended.within(DEATH_LIMIT_MS)))
        throw new HealthctlError('TIMEOUT', `container ${view.name} did not end after SIGKILL`, {
          hint: 'one of its processes may hang in the kernel',
        });
    }
    await ended.published();
    await detachNetwork(ctx, id);
    if (isToStay(options)) await ctx.endNerdctlTimer(id);
    await publishStop({ events: ctx.containerd.events, log: ctx.log }, { id });
  } finally {
    releaseOutputs();
    ended.stop();
  }
}

/** A container that will be started again keeps nerdctl's timer. */
const isToStay = ({ isForGood = true, isRestart = false }: StopOptions): boolean => isForGood && !isRestart;

/**
 * Records that a user stopped it: until the next start neither the monitor nor containerd's restart plugin starts it.
 */
export function noteStopped(
  { containerd, clock }: Pick<ContainerContext, 'containerd' | 'clock'>,
  id: string,
  { isRestart = false }: Pick<StopOptions, 'isRestart'> = {},
): Promise<void> {
  const at = rfc3339FromMillis(clock.now());
  return containerd.containers.setLabels(id, stoppedLabels(isRestart ? restartNote(at) : at));
}

/**
 * Sends SIGKILL to every process of a container, and waits for the end of the main one. A paused container is resumed:
 * a frozen process cannot die.
 */
export async function killContainer(ctx: ContainerContext, view: ContainerView, abort?: AbortSignal): Promise<void> {
  const { id } = view.record;
  const letGo = holdCheckOutputs(runDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id }));
  const ended = await watchExit(ctx, id, abort);
  try {
    await signalled(view, killAll(ctx, id));
    if (view.state === 'paused') await resumeContainer(ctx, id);
    if (!(await ended.within(DEATH_LIMIT_MS)))
      throw new HealthctlError('TIMEOUT', `container ${view.name} did not end after SIGKILL`);
    await ended.published();
    await detachNetwork(ctx, id);
  } finally {
    letGo();
    ended.stop();
  }
}

/**
 * Sends a signal to the main process; it is no error if that has ended, or ends now because its shim dies. The `kill`
 * event is published first, so that it precedes `die`.
 */
export async function sendSignal(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'log'>,
  containerId: string,
  kill: { readonly signal: number; readonly all?: boolean },
): Promise<void> {
  await publishKill({ events: ctx.containerd.events, log: ctx.log }, { id: containerId, signal: kill.signal });
  try {
    await unlessShimDies(ctx, containerId, () => ctx.containerd.tasks.kill({ containerId, ...kill }));
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND') && !isFinished(error)) throw error;
  }
}

const SENT_HINT =
  'the signal is on its way and takes effect when the shim goes on: call this again then; "ps -ef | grep containerd-shim" shows it';

/** A shim that fell silent after it was asked for its state: it is unknown whether it got the signal. */
export async function signalled({ name }: ContainerView, sent: Promise<void>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    if (hasCode(error, 'TIMEOUT')) throw unknownStateError(name, error, SENT_HINT);
    throw error;
  }
}

async function killAll(ctx: ContainerContext, id: string): Promise<void> {
  await sendSignal(ctx, id, { signal: SIGKILL, all: true });
}

/** Resumes a paused container. It is no error if it is not paused any more, or gone. */
export async function resumeContainer(ctx: Pick<ContainerContext, 'containerd'>, id: string): Promise<void> {
  try {
    await ctx.containerd.tasks.resume(id);
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'CONFLICT') && !isFinished(error)) throw error;
  }
}

/** Begins to wait for the end of a container, before the signal that causes it. */
async function watchExit(ctx: ContainerContext, containerId: string, abort?: AbortSignal) {
  const stopped = new AbortController();
  const signal = abort ? AbortSignal.any([abort, stopped.signal]) : stopped.signal;
  const exit = endOfContainer(ctx, containerId, { signal }).then(() => true);
  exit.catch(() => undefined); // reported to the waiting caller
  const { published } = await subscribeToEnd(ctx, containerId, signal);
  return {
    /** Whether it ended in time. */
    within: (ms: number): Promise<boolean> =>
      Number.isFinite(ms) ? Promise.race([exit, ctx.clock.sleep(ms, signal).then(() => false)]) : exit,
    /** Resolves when containerd has published the end, so that an event of ours follows it. */
    published: (): Promise<void> => Promise.race([published, ctx.clock.sleep(EVENT_LIMIT_MS, signal)]),
    stop: () => stopped.abort(),
  };
}

/**
 * Subscribes to the event of a container's end. Resolves when the subscription is live, with a promise that resolves
 * with the event. It only serves the order of events: without the event, work continues.
 */
async function subscribeToEnd(
  { containerd, log }: ContainerContext,
  id: string,
  signal: AbortSignal,
): Promise<{ readonly published: Promise<void> }> {
  const logged = (error: unknown): void =>
    log.debug(`the event of the end of container ${id} was not received: ${messageOf(error)}`);
  try {
    const ends = await containerd.events.subscribe({ signal, endOf: id });
    const isIt = (event: ContainerdEvent): boolean =>
      event.kind === 'task-exited' && event.id === id && event.namespace === containerd.namespace;
    return { published: nextOf(ends[Symbol.asyncIterator](), isIt).then(() => undefined, logged) };
  } catch (error) {
    logged(error);
    return { published: Promise.resolve() };
  }
}

/** The label is trusted on a container of ours or nerdctl's: an image could ask never to be killed. */
function ownTimeoutS({ dirs, containerd }: ContainerContext, { record }: ContainerView): number {
  const { id, labels } = record;
  const isBelieved =
    labels[LABELS.owner] !== undefined || isNerdctls(dirs, { namespace: containerd.namespace, id, labels });
  return isBelieved ? numberOr(labels[LABELS.stopTimeout], DEFAULT_TIMEOUT_S) : DEFAULT_TIMEOUT_S;
}

/** An image may name an unknown signal: then the default is used, as in Docker. */
function ownStopSignal(ctx: ContainerContext, { record, name }: ContainerView): number {
  const text = record.labels[LABELS.stopSignal];
  if (text === undefined || text === '') return SIGTERM;
  try {
    return parseSignal(text);
  } catch (error) {
    ctx.log.warn(`container ${name}: ${messageOf(error)}; SIGTERM is sent instead`);
    return SIGTERM;
  }
}

function numberOr(text: string | undefined, fallback: number): number {
  const number = Number(text);
  return text === undefined || text === '' || !Number.isInteger(number) ? fallback : number;
}
