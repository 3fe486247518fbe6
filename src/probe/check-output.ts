import { closeSync, constants, mkdirSync, openSync, readSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import { fifoReaderFrom, holdFifo, makeFifo } from '../system/fifo.ts';
import { createBoundedOutput } from './bounded-output.ts';
import { OUTPUT_FIFO } from './check-execs.ts';
import { within } from './within.ts';

/** What a check prints, on its way through a FIFO of its own. */
export interface CheckOutput {
  readonly path: string;
  text(): string;
  /** To be called when the shim has opened the FIFO for both streams: from then on the end of the last one is the end of the output. */
  letEnd(): void;
  /** Whether the last writer has closed the FIFO; what is there is read. To be asked after `letEnd`, and before `readAlongSoon`. */
  hasEnded(): boolean;
  /** To be called when the program still runs: in a while its output is read as it comes, so that it never waits for a reader. */
  readAlongSoon(): void;
  /** Reads until the last writer has closed the FIFO, for so long at most. @returns whether it ended */
  readToEnd(limitMs: number): Promise<boolean>;
  /** Leaves the directory, which is named after the exec: the note by which the next check knows that the exec may still be there. */
  keepNote(): void;
}

/**
 * Most checks end at once and print less than a pipe holds: they are read when they have ended, by plain calls. A stream that reads along costs
 * more than all else that is done here, and is made only for a check that takes this long, so that none waits for a reader.
 */
const READ_ALONG_AFTER_MS = 20;
const CHUNK_BYTES = 64 << 10;

/** Makes the FIFO in the new directory `dir`, and removes both behind `work`. */
export async function withOutput<T>(dir: string, clock: Clock, work: (output: CheckOutput) => Promise<T>): Promise<T> {
  const path = join(dir, OUTPUT_FIFO);
  mkdirSync(dir, { mode: 0o700 });
  const opened: (() => void)[] = [];
  let isNoteKept = false;
  try {
    makeFifo(path);
    // The shim opens the FIFO twice, one stream after the other; a program that has ended by then would close it in between.
    const letGo = holdFifo(path);
    opened.push(letGo);
    const reader = openReader(path);
    opened.push(reader.close);
    return await work({
      ...{ path, text: reader.text, letEnd: letGo, hasEnded: reader.hasEnded },
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

/** @returns whether that was the end; false when a writer may still write, or the rest cannot be read */
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

/** The two plain calls that are enough, unless somebody has put something else into the directory. */
function remove(dir: string, path: string): void {
  try {
    unlinkSync(path);
    rmdirSync(dir);
  } catch {
    rmSync(dir, { recursive: true, force: true });
  }
}
