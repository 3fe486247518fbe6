import type { HostEvent } from '../../events/host-event.ts';
import { HealthctlError } from '../../lib/errors.ts';

/** Events queued for one client. */
export interface EventFollower {
  /** Queues an event. */
  take(event: HostEvent): void;
  /**
   * Gives `past`, then the queued events, until the signal fires, or `due` resolves and all are given.
   *
   * @param give resolves when the client has taken the event
   * @throws EXHAUSTED if the client takes nothing for so long that too many are queued
   */
  drain(give: (event: HostEvent) => Promise<void>, until: DrainUntil): Promise<void>;
}

interface DrainUntil {
  readonly past: readonly HostEvent[];
  readonly signal: AbortSignal;
  readonly due: Promise<void> | undefined;
}

/** A follower that does not read is disconnected: it can start again from the ring. */
const MAX_QUEUED = 10_000;

/** @param wants whether an event is queued */
export function createEventFollower(wants: (event: HostEvent) => boolean): EventFollower {
  const queue: HostEvent[] = [];
  let wake = (): void => {};
  let isCutOff = false;
  /** Resolves when the client has taken it, and also when it is cut off: it may never read again. */
  const send = (event: HostEvent, give: (event: HostEvent) => Promise<void>): Promise<void> =>
    new Promise((resolve, reject) => {
      wake = () => {
        if (isCutOff) resolve();
      };
      give(event).then(resolve, reject);
    });
  return {
    take: (event) => {
      if (isCutOff || !wants(event)) return;
      isCutOff = queue.length >= MAX_QUEUED;
      if (isCutOff) queue.length = 0;
      else queue.push(event);
      wake();
    },
    drain: async (give, { past, signal, due }) => {
      let isDue = false;
      void due?.then(() => {
        isDue = true;
        wake();
      });
      signal.addEventListener('abort', () => wake(), { once: true });
      for (let index = 0; !signal.aborted; index += 1) {
        if (isCutOff) throw new HealthctlError('EXHAUSTED', 'a client that does not read was cut off');
        const event = past[index] ?? queue.shift();
        if (event) await send(event, give);
        else if (isDue) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
