import type { Clock } from '../../lib/clock.ts';
import { FLAG, frameFrom, TYPE } from './frames.ts';
import type { Outbox } from './outbox.ts';

/**
 * Answers the peer's PINGs, a second late. grpc-go measures with them how much may be under way at once: it sends one with the first data that
 * comes after the last answer. Answered at once there is one for each call, and both sides wake up once more for it; answered late there is one
 * in a second. It waits for an answer for 20 seconds (keepalive.ServerParameters.Timeout) before it gives a connection up.
 *
 * Where much is sent they are answered at once, so that the peer allows more.
 */
export interface PingAnswers {
  take(payload: Buffer): void;
  /** To be called now and then: sends what is due because much was sent meanwhile. */
  look(): void;
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
  const letGo = (): void => {
    if (!held) return;
    const { payload, cancel } = held;
    cancel();
    held = undefined;
    answer(payload);
  };
  return {
    take: (payload) => {
      letGo(); // in the order in which they came
      const isBusy = outbox.addedBytes - seenBytes > MUCH_BYTES;
      seenBytes = outbox.addedBytes;
      if (isBusy) {
        answer(payload);
        return;
      }
      const copy = Buffer.from(payload); // of a buffer that is much larger
      held = { payload: copy, atBytes: outbox.addedBytes, ...clock.after(DELAY_MS, letGo) };
    },
    look: () => {
      if (held && outbox.addedBytes - held.atBytes > MUCH_BYTES) letGo();
    },
    stop: () => {
      held?.cancel();
      held = undefined;
    },
  };
}
