import type { ContainerdEvent, Events } from '../containerd/events.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import { CHECK_EXEC_PREFIX } from '../probe/check-execs.ts';

export interface WatchDeps {
  readonly events: Events;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  /** Path of containerd's socket, for the log. */
  readonly address: string;
  /** Asks containerd for everything: after each (re)connect, once the subscription is live, and every ten minutes. */
  readonly list: (signal: AbortSignal) => Promise<void>;
  readonly onEvent: (event: ContainerdEvent) => void;
  /**
   * `live`: the list was applied. `lost`: nothing is known until the next `live`; also called for a failed first try.
   */
  readonly onState: (state: 'live' | 'lost') => void;
}

/** A safety net: an event that was never sent would otherwise be missed for ever. */
const LIST_EVERY_MS = 10 * 60_000;
const FIRST_BACK_OFF_MS = 100;
const LONGEST_BACK_OFF_MS = 5_000;

/**
 * Follows containerd until the signal fires: subscribes, lists, applies events. A lost connection is logged once, and
 * retried with growing delays. Never rejects.
 */
export async function watchHost(deps: WatchDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, address } = deps;
  let backOffMs = FIRST_BACK_OFF_MS;
  let isLossLogged = false;
  while (!signal.aborted) {
    try {
      await follow(deps, signal, () => {
        if (isLossLogged) log.info(`containerd at ${address} is back`);
        deps.onState('live');
        isLossLogged = false;
        backOffMs = FIRST_BACK_OFF_MS;
      });
    } catch (error) {
      if (signal.aborted) return;
      deps.onState('lost');
      if (!isLossLogged) log.warn(`lost containerd at ${address}; retrying: ${messageOf(error)}`);
      isLossLogged = true;
      await clock.sleep(backOffMs, signal);
      backOffMs = Math.min(2 * backOffMs, LONGEST_BACK_OFF_MS);
    }
  }
}

/** Runs until the connection is lost: always throws. */
async function follow(deps: WatchDeps, signal: AbortSignal, onLive: () => void): Promise<never> {
  const { events, clock, log, list, onEvent } = deps;
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  try {
    const stream = await events.subscribe({ signal: ended, withoutExecs: CHECK_EXEC_PREFIX });
    await list(ended);
    onLive();
    void listAgain();
    for await (const event of stream) onEvent(event);
    throw new Error('the stream of events ended');
  } finally {
    over.abort();
  }

  async function listAgain(): Promise<void> {
    for (;;) {
      await clock.sleep(LIST_EVERY_MS, ended);
      if (ended.aborted) return;
      // If it fails because the connection is lost, the event stream reports that too.
      await list(ended).catch((error: unknown) => log.debug(`the list failed: ${messageOf(error)}`));
    }
  }
}
