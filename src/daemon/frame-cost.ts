import { PREFACE, TYPE } from '../containerd/http2/frames.ts';

/** The work that HTTP/2 frames make for a server, in units of about 10 microseconds. */
export interface FrameCost {
  /** The cost of the frames that begin in these bytes, which follow those of the last call. */
  of(bytes: Buffer): number;
}

const HEAD_BYTES = 9;

/** Header fields begin a call, or continue without an end; any other frame costs little, whatever its content. */
const costOf = (type: number): number => (type === TYPE.headers || type === TYPE.continuation ? 30 : 1);

/** Parses the frame heads of a client (RFC 9113, section 4.1), and skips the rest. */
export function createFrameCost(): FrameCost {
  /** Bytes to the next head. */
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
