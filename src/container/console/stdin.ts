import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import { errnoOf } from '../../lib/errors.ts';
import { openFifoWriter } from '../../system/fifo.ts';
import type { DetachFilter } from './detach-keys.ts';

const CONNECT_LIMIT_MS = 2_000;
const LOOK_MS = 5;

/**
 * Opens the stdin of a process that was just created: the shim opens it for reading a moment later.
 *
 * @returns undefined if it does not within 2 s, or if there is no FIFO
 */
export async function connectNewStdin(path: string, clock: Clock): Promise<Socket | undefined> {
  const deadline = clock.monotonic() + CONNECT_LIMIT_MS;
  for (;;) {
    const writer = connectStdin(path);
    if (writer || clock.monotonic() >= deadline) return writer;
    await clock.sleep(LOOK_MS);
  }
}

/** Opens the stdin of a running process; undefined if it was closed before. */
export function connectStdin(path: string): Socket | undefined {
  try {
    return openFifoWriter(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export interface PumpOptions {
  readonly source: Readable;
  readonly sink: Writable;
  /** With a terminal. */
  readonly detach?: DetachFilter;
  /** The source has ended and all its data was passed on. */
  readonly onEnd: () => void;
  /** The user typed the detach keys. */
  readonly onDetach: () => void;
}

/** A connection that is cut off closes without an end. */
const ENDS = ['end', 'error', 'close'] as const;

/** Copies typed or piped input, at the speed of its reader. @returns a function that ends this */
export function pumpStdin({ source, sink, detach, onEnd, onDetach }: PumpOptions): () => void {
  const stop = (): void => {
    source.off('data', take);
    for (const event of ENDS) source.off(event, end);
    source.pause();
    sink.destroy();
  };
  const resume = (): void => {
    source.resume();
  };
  const take = (chunk: Buffer): void => {
    const { bytes, detached } = detach ? detach.feed(chunk) : { bytes: chunk, detached: false };
    if (detached) {
      stop();
      onDetach();
    } else if (bytes.length > 0 && !sink.write(bytes)) {
      source.pause();
      sink.once('drain', resume);
    }
  };
  // Not `sink.end()`, which would call shutdown on something other than a socket; the reader still gets what was
  // written.
  const end = (): void => {
    for (const event of ENDS) source.off(event, end);
    sink.write('', () => {
      sink.once('close', onEnd);
      sink.destroy();
    });
  };
  sink.on('error', stop); // the process has closed its stdin, or is gone
  source.on('data', take);
  for (const event of ENDS) source.on(event, end);
  // A socket emits its end although nobody listens.
  if (source.readableEnded || source.destroyed) end();
  else source.resume();
  return stop;
}
