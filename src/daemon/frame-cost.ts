import { PREFACE, TYPE } from '../containerd/http2/frames.ts';

/** Units of work that frames of HTTP/2 make for a server: about 10 microseconds each. */
export interface FrameCost {
  /** Of the frames that begin in these bytes, which follow those of the last call. */
  of(bytes: Buffer): number;
}

const HEAD_BYTES = 9;

/** Header fields begin a call, or go on without an end; any other frame costs little, whatever it says. */
const costOf = (type: number): number => (type === TYPE.headers || type === TYPE.continuation ? 30 : 1);

/** Reads the heads of frames (RFC 9113, section 4.1) of a client, and passes over the rest. */
export function createFrameCost(): FrameCost {
  /** Up to the next head. */
  let toSkip = PREFACE.length;
  const head = Buffer.alloc(HEAD_BYTES);
  let known = 0;
  return {
    of: (bytes) => {
      let cost = 0;
      for (let at = 0; at < bytes.length; ) {
        if (toSkip > 0) {
          const skipped = Math.min(toSkip, bytes.length - at);
          toSkip -= skipped;
          at += skipped;
          continue;
        }
        const copied = bytes.copy(head, known, at, at + HEAD_BYTES - known);
        known += copied;
        at += copied;
        if (known < HEAD_BYTES) break;
        known = 0;
        toSkip = head.readUIntBE(0, 3);
        cost += costOf(head.readUInt8(3));
      }
      return cost;
    },
  };
}
