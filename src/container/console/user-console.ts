import type { Readable, Writable } from 'node:stream';
import { HealthctlError } from '../../lib/errors.ts';
import type { Write } from '../logs/follow.ts';

/** Where input comes from: a client's connection, or the stdin of this process, which may be a terminal. */
type Input = Readable & { readonly isTTY?: boolean };
/** Where output goes. A terminal emits `resize` when its size has changed. */
type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** The streams and signals of a user: those of this process, or the connection of a client. */
export interface UserConsole {
  readonly streams: { readonly stdin: Input; readonly stdout: Output; readonly stderr: Output };
  /**
   * Aborts if this process is asked to end while no listener handles the signals, and if the reader of stdout is gone.
   */
  readonly signal: AbortSignal;
  /** Handles the signals until the returned function is called. */
  onSignal(listener: (name: NodeJS.Signals) => void): () => void;
}

/**
 * Docker's check before a terminal's input is attached.
 *
 * @throws INVALID `the input device is not a TTY`, exit 1
 */
export function checkTerminal(
  { streams }: Pick<UserConsole, 'streams'>,
  wanted: { readonly terminal: boolean; readonly stdin: boolean },
): void {
  if (wanted.terminal && wanted.stdin && !streams.stdin.isTTY)
    throw new HealthctlError('INVALID', 'the input device is not a TTY', {
      hint: 'leave out -t, or run it in a terminal',
      exitCode: 1,
    });
}

/** Writes to a stream at the speed of its reader. Data for a broken or abandoned stream is lost. */
export function writerTo(stream: Writable, signal: AbortSignal): Write {
  return async (bytes) => {
    if (stream.destroyed || signal.aborted || stream.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
      signal.addEventListener('abort', done);
    });
  };
}
