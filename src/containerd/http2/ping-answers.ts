import type { Clock } from '../../lib/clock.ts';
import { FLAG, frameFrom, TYPE } from './frames.ts';
import type { Outbox } from './outbox.ts';

/**
 * Answers the peer's PINGs a second late. grpc-go uses them to measure how much may be in flight: it sends one with the
 * first data after the last answer. With immediate answers there is one for each call, and both sides wake up once more
 * for it; with late answers there is one per second. It waits 20 seconds for an answer
 * (keepalive.ServerParameters.Timeout) before it gives up a connection.
 *
 * Under load they are answered at once, so that the peer allows more.
 */
export interface PingAnswers {
  receive(payload: Buffer): void;
  /** Call it now and then: sends an answer that load has made due. */
  answerIfBusy(): void;
  stop(): void;
}

const DELAY_MS = 1_000;
const MUCH_BYTES = 64 << 10;

export function createPingAnswers(
  outbox: Pick<Outbox, 'add' | 'addedBytes'>,
  clock: Pick<Clock, 'after'>,
): PingAnswers {
  let held: { readonly payload: Buffer; readonly atBytes: number; cancel(): void } | undefined;
  let seenBytes = 0;
  const answer = (payload: Buffer): void => outbox.add(frameFrom(TYPE.ping, FLAG.ack, 0, payload));
  const answerHeld = (): void => {
    if (!held) return;
    const { payload, cancel } = held;
    cancel();
    held = undefined;
    answer(payload);
  };
  return {
    receive: (payload) => {
      answerHeld(); // in the order of arrival
      const isBusy = outbox.addedBytes - seenBytes > MUCH_BYTES;
      seenBytes = outbox.addedBytes;
      if (isBusy) {
        answer(payload);
        return;
      }
      const copy = Buffer.from(payload); // a view of a much larger buffer
      held = { payload: copy, atBytes: outbox.addedBytes, ...clock.after(DELAY_MS, answerHeld) };
    },
    answerIfBusy: () => {
      if (held && outbox.addedBytes - held.atBytes > MUCH_BYTES) answerHeld();
    },
    stop: () => {
      held?.cancel();
      held = undefined;
    },
  };
}
