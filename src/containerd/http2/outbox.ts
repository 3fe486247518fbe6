import type { Duplex } from 'node:stream';

/** Outgoing frames: frames added in succession go out in one write. */
export interface Outbox {
  /** @param taken called when the kernel has the frame, or never will */
  add(frame: Buffer, taken?: () => void): void;
  /** Of all frames that were added. */
  readonly addedBytes: number;
}

/** From this size on, frames are written with one writev(2), without a copy of them. */
const LARGE_BYTES = 32 << 10;

export function createOutbox(socket: Duplex): Outbox {
  let frames: Buffer[] = [];
  let waiting: (() => void)[] = [];
  let addedBytes = 0;
  const flush = (): void => {
    const [sent, taken] = [frames, waiting];
    frames = [];
    waiting = [];
    const bytes = sent.reduce((sum, frame) => sum + frame.length, 0);
    const parts = sent.length > 1 && bytes < LARGE_BYTES ? [Buffer.concat(sent)] : sent;
    const last = parts.pop();
    if (last === undefined) return;
    if (parts.length > 0) socket.cork();
    for (const part of parts) socket.write(part);
    if (taken.length === 0) socket.write(last);
    else
      socket.write(last, () => {
        for (const each of taken) each();
      });
    socket.uncork();
  };
  return {
    add: (frame, taken) => {
      if (socket.destroyed) {
        taken?.();
        return;
      }
      // Twice, so that frames added by an already queued microtask are included.
      if (frames.length === 0) queueMicrotask(() => queueMicrotask(flush));
      frames.push(frame);
      addedBytes += frame.length;
      if (taken) waiting.push(taken);
    },
    get addedBytes() {
      return addedBytes;
    },
  };
}
