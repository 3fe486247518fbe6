import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { holdFifo, makeFifo, openFifoReader } from '../system/fifo.ts';
import { CONTROL_FIFO, OUTPUT_FIFO } from './check-execs.ts';

/** The three FIFOs between healthctl and a resident shell. */
export interface Pipes {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  onOutput(listener: (bytes: Buffer) => void): void;
  onControl(listener: (text: string) => void): void;
  onEnd(listener: () => void): void;
  /** @returns false after `close`, and if the reader is so far behind that there is no room */
  write(line: string): boolean;
  /** Call it when the shim has opened the FIFOs: from then on, the output ends when the shell ends. */
  letEnd(): void;
  /** @param options.keepsNote keeps the directory, whose name leads a sweep to the exec */
  close(options: { readonly keepsNote: boolean }): void;
}

/** Creates the FIFOs in the new directory `dir`, and opens healthctl's ends. */
export function openPipes(dir: string): Pipes {
  const [stdin, stdout, stderr] = [join(dir, 'input'), join(dir, OUTPUT_FIFO), join(dir, CONTROL_FIFO)];
  mkdirSync(dir, { mode: 0o700 });
  const opened: (() => void)[] = [];
  let isClosed = false;
  const close = () => {
    isClosed = true;
    for (const each of opened.splice(0)) each();
  };
  try {
    for (const path of [stdin, stdout, stderr]) makeFifo(path);
    const holds = [holdFifo(stdout), holdFifo(stderr)];
    opened.push(...holds);
    // Opened for both directions, so that opening never blocks; the shim reads it.
    const input = openSync(stdin, constants.O_RDWR | constants.O_NONBLOCK);
    opened.push(() => closeSync(input));
    const readers = [stdout, stderr].map((path) => {
      const reader = openFifoReader(path);
      opened.push(() => reader.destroy());
      return reader;
    });
    const [output, control] = readers as [(typeof readers)[0], (typeof readers)[0]];
    return {
      ...{ stdin, stdout, stderr },
      onOutput: (listener) => output.on('data', listener),
      onControl: (listener) => control.on('data', (bytes: Buffer) => listener(bytes.toString('latin1'))),
      onEnd: (listener) => {
        for (const reader of readers) {
          reader.once('close', listener);
          reader.once('error', listener);
        }
      },
      write: (line) => {
        if (isClosed) return false; // the descriptor's number may belong to another file by now
        try {
          return writeSync(input, line) === line.length;
        } catch (error) {
          if (errnoOf(error) === 'EAGAIN') return false;
          throw error;
        }
      },
      letEnd: () => {
        for (const release of holds) release();
      },
      close: ({ keepsNote }) => {
        close();
        if (!keepsNote) rmSync(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    close();
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}
