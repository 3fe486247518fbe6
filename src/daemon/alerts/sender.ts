import type { Clock } from '../../lib/clock.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf } from '../../lib/errors.ts';
import { shownContainer } from '../../record/container-name.ts';
import type { AlertBook, Followed } from './alert-book.ts';
import type { DeliverAlerts, SentAlert } from './deliver.ts';
import { createReminders } from './reminders.ts';
import { reasonOf, retryAfterMsOf, verdictOf } from './retry.ts';

export interface SenderDeps {
  readonly book: AlertBook;
  readonly deliver: DeliverAlerts;
  /** How often alerts that fire are sent again; undefined: never. */
  readonly resendMs: number | undefined;
  /** The hook's name in the log. */
  readonly shown: string;
  readonly clock: Clock;
  readonly log: { info(text: string): void; warn(text: string): void };
  /** In [0, 1), another one at each call. */
  readonly random: () => number;
  readonly firingRecord: FiringRecord;
}

/** Records for the next monitor which alerts fire. */
interface FiringRecord {
  /** Called before a state of this container is sent: it may arrive although the monitor is killed meanwhile. */
  beforeTry(key: string): void;
  /** Called after the try. If the monitor is killed before this is written, the state is sent again. */
  afterTry(): void;
}

/** Sends the events of a hook, one request at a time. No caller waits for it. */
export interface Sender {
  /** Call it when the book may have something to send. */
  wake(): void;
  /** Sends alerts that fire again soon: the monitor has just started. */
  remind(): void;
  /** A change was not taken into the book, because it is full. */
  countDropped(): void;
  /** Ends the request in flight when the signal fires, after one more try of everything that waits. */
  stop(signal: AbortSignal): Promise<void>;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createSender(deps: SenderDeps): Sender {
  const { book, clock, log, shown, firingRecord } = deps;
  const over = new AbortController();
  let isEnding = false;
  let dropped = 0;
  const reminders = createReminders(deps);
  let isWorking = false;
  let busy: Promise<void> | undefined;
  let waiting: { cancel(): void } | undefined;

  const logDropped = (): void => {
    if (dropped > 0) log.warn(`${shown}: queue full, ${counted(dropped, 'event')} dropped`);
    dropped = 0;
  };
  const attempt = async ({ key, ...sent }: SentAlert & { readonly key: string }): Promise<void> => {
    const { event } = sent;
    book.begin(key, event);
    if (event.event !== 'restart') firingRecord.beforeTry(key);
    const outcome = await deps.deliver([sent], over.signal);
    const nowMs = clock.monotonic();
    const verdict = verdictOf(outcome);
    const isReached = outcome.kind === 'answered' || outcome.isReached;
    const retryAfterMs = outcome.kind === 'answered' ? retryAfterMsOf(outcome.retryAfter, clock.now()) : undefined;
    const followed = book.end(key, event, { verdict, isReached, nowMs, share: deps.random(), retryAfterMs });
    if (event.event !== 'restart') firingRecord.afterTry();
    if (verdict === 'delivered') logDropped();
    else if (!over.signal.aborted)
      log.warn(
        `${shown} for ${event.event} of container ${shownContainer(event)} failed${nextOf(followed)}: ${reasonOf(outcome)}`,
      );
  };
  const work = async (): Promise<void> => {
    isWorking = true;
    try {
      while (!isEnding) {
        // No `await` between this read and the return: a call of `wake` would be lost in it.
        const next = book.next(clock.monotonic());
        const remindAtMs = reminders.nextAtMs();
        if (next.kind === 'send') {
          await attempt(next);
          continue;
        }
        if (remindAtMs <= clock.monotonic()) {
          await reminders.send(over.signal);
          continue;
        }
        const untilMs = Math.min(next.kind === 'wait' ? next.untilMs : remindAtMs, remindAtMs);
        if (Number.isFinite(untilMs)) waiting = clock.after(untilMs - clock.monotonic(), wake);
        return;
      }
    } catch (error) {
      log.warn(`${shown}: ${messageOf(error)}`);
    } finally {
      isWorking = false;
    }
  };
  const wake = (): void => {
    waiting?.cancel();
    waiting = undefined;
    if (!isWorking && !isEnding) busy = work();
  };
  const tryAllOnce = async (): Promise<void> => {
    for (const pending of book.pending()) {
      if (over.signal.aborted) return;
      await attempt(pending);
    }
  };

  return {
    wake,
    remind: () => {
      reminders.hurry();
      wake();
    },
    countDropped: () => {
      dropped += 1;
    },
    stop: async (signal) => {
      isEnding = true;
      waiting?.cancel();
      const end = (): void => over.abort();
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
      await busy;
      await tryAllOnce();
      signal.removeEventListener('abort', end);
      logDropped();
      const left = book.pending().length;
      if (left > 0) log.info(`${shown}: ${counted(left, 'event')} not delivered: the monitor ends`);
    },
  };
}

function nextOf(followed: Followed): string {
  switch (followed.kind) {
    case 'retry':
      return `; retrying in ${Math.ceil(followed.inMs / 1_000)} s`;
    case 'given-up':
      return '; given up';
    case 'settled':
      return '';
  }
}
