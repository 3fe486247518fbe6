import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { parseSignal } from '../../oci/signal.ts';
import type { UserConsole } from './user-console.ts';

/** docker/cli, cmd/docker: after this many the program ends itself, whatever the container does. */
const MAX_TERMINATIONS = 3;
/** docker/cli, signals.go: signals that are not passed on. */
const KEPT: ReadonlySet<string> = new Set(['SIGCHLD', 'SIGPIPE', 'SIGURG', 'SIGWINCH']);

export interface ForwardOptions {
  /** Sends a signal to the container, and publishes the event. */
  readonly send: (signal: number) => Promise<void>;
  readonly console: Pick<UserConsole, 'onSignal'>;
  readonly log: Logger;
  /** Called at the third SIGINT or SIGTERM. */
  readonly onForce: () => void;
}

/**
 * Passes the signals of this process on to the main process of a container (Docker's --sig-proxy).
 * @returns a function that ends this
 */
export function forwardSignals({ send, console, log, onForce }: ForwardOptions): () => void {
  let terminations = 0;
  // One after another: concurrent calls could change their order.
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
