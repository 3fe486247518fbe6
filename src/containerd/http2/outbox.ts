import type { Duplex } from 'node:stream';

/** Outgoing frames: frames added in succession go out in one write. */
export interface Outbox {
  /** @param taken called when the kernel has the frame, or never will */
  add(frame: Buffer, taken?: () => void): void;
  /** Of all frames that were added. */
  readonly addedBytes: number;
}

export function createOutbox(socket: Duplex): Outbox {
  let frames: Buffer[] = [];
  let waiting: (() => void)[] = [];
  let addedBytes = 0;
  const flush = (): void => {
    const [first] = frames;
    const bytes = first && frames.length === 1 ? first : Buffer.concat(frames);
    const taken = waiting;
    frames = [];
    waiting = [];
    if (taken.length === 0) {
      socket.write(bytes);
      return;
    }
    socket.write(bytes, () => {
      for (const each of taken) each();
    });
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
