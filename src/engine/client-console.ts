import type { Duplex } from 'node:stream';
import type { UserConsole } from '../container/console/user-console.ts';
import { bytesTo, framesTo } from './frames.ts';

/**
 * The connection of a client as a console: its bytes are the input, and both outputs go to it, as frames or, with a
 * terminal, as they are.
 *
 * @param options.signal ends what is attached to it
 */
export function consoleOf(
  stream: Duplex,
  options: { readonly isFramed: boolean; readonly signal: AbortSignal },
): UserConsole {
  const { isFramed, signal } = options;
  return {
    streams: {
      stdin: stream,
      stdout: isFramed ? framesTo(stream, 'stdout') : bytesTo(stream),
      stderr: isFramed ? framesTo(stream, 'stderr') : bytesTo(stream),
    },
    signal,
    // A client sends no signals: it asks for a kill.
    onSignal: () => () => {},
  };
}
