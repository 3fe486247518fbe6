import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { parseSignal } from '../../oci/signal.ts';
import type { UserConsole } from './user-console.ts';

/** docker/cli, cmd/docker: after so many the program ends by itself, whatever the container does. */
const MAX_TERMINATIONS = 3;
/** docker/cli, signals.go: not for the container. */
const KEPT: ReadonlySet<string> = new Set(['SIGCHLD', 'SIGPIPE', 'SIGURG', 'SIGWINCH']);

export interface ForwardOptions {
  /** Sends one to the container, and tells of it. */
  readonly send: (signal: number) => Promise<void>;
  readonly console: Pick<UserConsole, 'onSignal'>;
  readonly log: Logger;
  /** Called at the third SIGINT or SIGTERM. */
  readonly onForce: () => void;
}

/** Passes the signals that this process gets to the main process of a container (Docker's --sig-proxy). @returns ends it */
export function forwardSignals({ send, console, log, onForce }: ForwardOptions): () => void {
  let terminations = 0;
  // One after the other: sent at once they could overtake each other.
  let sent = Promise.resolve();
  return console.onSignal((name) => {
    if (KEPT.has(name)) return;
    sent = sent
      .then(() => send(parseSignal(name)))
      .catch((error: unknown) => log.debug(`${name} was not forwarded: ${messageOf(error)}`));
    if (name !== 'SIGINT' && name !== 'SIGTERM') return;
    terminations += 1;
    if (terminations === MAX_TERMINATIONS) onForce();
  });
}
