import { Writable } from 'node:stream';
import type { OutputStream } from '../container/logs/output-files.ts';

/** The content type of frames, for clients since API 1.42. */
export const FRAMES = 'application/vnd.docker.multiplexed-stream';
/** Of bytes; clients before API 1.42 expect it for frames too. */
export const RAW = 'application/vnd.docker.raw-stream';

const HEADER_BYTES = 8;
const NUMBERS: Readonly<Record<OutputStream, number>> = { stdout: 1, stderr: 2 };

/** The head of a frame (moby: pkg/stdcopy): the stream, three zero bytes, and the length of what follows. */
export function frameHeader(stream: OutputStream, length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(NUMBERS[stream], 0);
  header.writeUInt32BE(length, 4);
  return header;
}

/** A stream whose chunks become frames of `target`, at its speed. It leaves `target` open. */
export function framesTo(target: Writable, stream: OutputStream): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      target.cork();
      target.write(frameHeader(stream, chunk.length));
      const isFree = target.write(chunk);
      target.uncork();
      if (isFree) done();
      else untilDrained(target, done);
    },
  });
}

/** As `framesTo`, without frames. */
export function bytesTo(target: Writable): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (target.write(chunk)) done();
      else untilDrained(target, done);
    },
  });
}

/** What is written to a stream that is gone is lost. */
function untilDrained(target: Writable, done: () => void): void {
  const settle = (): void => {
    target.off('drain', settle);
    target.off('close', settle);
    done();
  };
  if (target.destroyed) return void done();
  target.on('drain', settle);
  target.on('close', settle);
}
