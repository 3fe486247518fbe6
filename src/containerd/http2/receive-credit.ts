import { numberFrame, TYPE } from './frames.ts';
import type { Outbox } from './outbox.ts';

/**
 * Lets the peer send more as received bytes are consumed (RFC 9113, section 5.2): a WINDOW_UPDATE for each half of the
 * window.
 */
export interface ReceiveCredit {
  /** @param streamId 0 for the connection */
  add(bytes: number, streamId: number): void;
}

export function createReceiveCredit(outbox: Outbox, windowBytes: number): ReceiveCredit {
  let uncredited = 0;
  return {
    add: (bytes, streamId) => {
      uncredited += bytes;
      if (uncredited < windowBytes / 2) return;
      outbox.add(numberFrame(TYPE.windowUpdate, streamId, uncredited));
      uncredited = 0;
    },
  };
}
