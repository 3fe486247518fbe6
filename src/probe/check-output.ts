import { closeSync, constants, mkdirSync, openSync, readSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import { fifoReaderFrom, holdFifo, makeFifo } from '../system/fifo.ts';
import { createBoundedOutput } from './bounded-output.ts';
import { OUTPUT_FIFO } from './check-execs.ts';
import { within } from './within.ts';

/** The output of a check, read from its own FIFO. */
export interface CheckOutput {
  readonly path: string;
  text(): string;
  /**
   * Call it when the shim has opened the FIFO for both streams: from then on, the output ends when the last writer
   * closes the FIFO.
   */
  letEnd(): void;
  /**
   * Whether the last writer has closed the FIFO; reads the available output. Call it after `letEnd` and before
   * `readAlongSoon`.
   */
  hasEnded(): boolean;
  /**
   * Call it when the program still runs: after a while, its output is read as it arrives, so that the program never
   * waits for a reader.
   */
  readAlongSoon(): void;
  /** Reads until the last writer has closed the FIFO, at most for the given time. @returns whether the output ended */
  readToEnd(limitMs: number): Promise<boolean>;
  /** Keeps the directory, which is named after the exec: it tells the next check that the exec may still exist. */
  keepNote(): void;
}

/**
 * Most checks end at once and print less than a pipe holds: their output is read at the end, with plain calls. A stream
 * that reads in parallel costs more than everything else here; it is created only for a check that runs this long, so
 * that no check waits for a reader.
 */
const READ_ALONG_AFTER_MS = 20;
const CHUNK_BYTES = 64 << 10;

/** Creates the FIFO in the new directory `dir`, and removes both after `work`. */
export async function withOutput<T>(dir: string, clock: Clock, work: (output: CheckOutput) => Promise<T>): Promise<T> {
  const path = join(dir, OUTPUT_FIFO);
  mkdirSync(dir, { mode: 0o700 });
  const opened: (() => void)[] = [];
  let isNoteKept = false;
  try {
    makeFifo(path);
    // The shim opens the FIFO twice, once per stream; without this, a program that ends in between would close it.
    const release = holdFifo(path);
    opened.push(release);
    const reader = openReader(path);
    opened.push(reader.close);
    return await work({
      ...{ path, text: reader.text, letEnd: release, hasEnded: reader.hasEnded },
      readToEnd: (limitMs) => reader.readToEnd(clock, limitMs),
      readAlongSoon: () => {
        const soon = clock.after(READ_ALONG_AFTER_MS, reader.readAlong);
        opened.push(soon.cancel);
      },
      keepNote: () => {
        isNoteKept = true;
      },
    });
  } finally {
    for (const close of opened) close();
    if (!isNoteKept) remove(dir, path);
  }
}

function openReader(path: string) {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const collected = createBoundedOutput();
  let stream: Socket | undefined;
  let ended: Promise<void> | undefined;
  let isAtEnd = false;
  const hasEnded = (): boolean => {
    isAtEnd ||= readWhatIsThere(fd, collected.add);
    return isAtEnd;
  };
  const readAlong = (): Promise<void> => {
    if (ended) return ended;
    const reading = fifoReaderFrom(fd);
    stream = reading;
    reading.on('data', (bytes: Buffer) => collected.add(bytes));
    ended = new Promise<void>((resolve) => {
      reading.once('close', resolve);
      reading.once('error', () => resolve()); // what came before the error is the output
    });
    return ended;
  };
  return {
    text: collected.text,
    hasEnded,
    readAlong: () => void readAlong(),
    readToEnd: async (clock: Clock, limitMs: number): Promise<boolean> => {
      if (!stream && hasEnded()) return true;
      return within(clock, limitMs, readAlong());
    },
    close: () => {
      if (stream) stream.destroy();
      else closeSync(fd);
    },
  };
}

/** @returns whether this was the end; false if a writer may still write, or the rest cannot be read */
function readWhatIsThere(fd: number, add: (bytes: Uint8Array) => void): boolean {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    for (;;) {
      const length = readSync(fd, chunk);
      if (length === 0) return true;
      add(chunk.subarray(0, length));
    }
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return false;
    throw error;
  }
}

/** Two plain calls are enough, unless something else was put into the directory. */
function remove(dir: string, path: string): void {
  try {
    unlinkSync(path);
    rmdirSync(dir);
  } catch {
    rmSync(dir, { recursive: true, force: true });
  }
}
