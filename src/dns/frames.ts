import { MAX_MESSAGE_BYTES } from './message.ts';

/** A message as it is sent over TCP: its length, then its bytes (RFC 1035, 4.2.2). */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.alloc(2 + message.length);
  frame.writeUInt16BE(Math.min(message.length, MAX_MESSAGE_BYTES), 0);
  message.copy(frame, 2);
  return frame;
}

/** Splits a stream into messages; keeps at most one that is not complete. */
export function createFrameReader(onMessage: (message: Buffer) => void): { push(bytes: Buffer): void } {
  let kept: Buffer = Buffer.alloc(0);
  return {
    push: (bytes) => {
      kept = kept.length === 0 ? bytes : Buffer.concat([kept, bytes]);
      while (kept.length >= 2 && kept.length >= 2 + kept.readUInt16BE(0)) {
        const end = 2 + kept.readUInt16BE(0);
        const message = kept.subarray(2, end);
        kept = kept.subarray(end);
        onMessage(message);
      }
    },
  };
}
