import { setMaxListeners } from 'node:events';
import type { Clock } from '../lib/clock.ts';

/** Exit statuses are 128 + the number, as shells report a process that was killed. */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type EndingSignal = keyof typeof NUMBERS;
const ENDING: readonly EndingSignal[] = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/** Signals that a command may handle: all that a terminal or a supervisor sends. */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGTERM',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
];

/** Two SIGINTs within this time are one. */
const SAME_SIGNAL_MS = 500;

/** The part of `process` that signals come from. */
export interface SignalSource {
  on(name: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown;
  off(name: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown;
}

/** The signals of one call. */
export interface Signals {
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP that no command handles. */
  readonly signal: AbortSignal;
  /** Passes all signals to the listener until the returned function is called. The last listener gets them. */
  forwardTo(listener: (name: NodeJS.Signals) => void): () => void;
  /**
   * Calls the listener for SIGTSTP, which then does not stop the process, and for SIGCONT, until the returned function is
   * called. All other signals go on as before.
   */
  onSuspend(listener: (name: 'SIGTSTP' | 'SIGCONT') => void): () => void;
  /** Ends the call like a signal, e.g. if stdout has no reader any more. */
  abort(exitCode: number): void;
  /** The exit status if the call was ended: 130 after SIGINT. Undefined while it was not. */
  exitCode(): number | undefined;
}

/**
 * Listens for signals that end a process. The first one aborts, so that the command can clean up; a second SIGINT exits
 * at once. One directly after the first is the same key press, delivered twice by a wrapper such as timeout(1) or npm,
 * and does not count.
 *
 * @param exitNow called on the second SIGINT, with 130
 */
export function listenForSignals(
  source: SignalSource,
  exitNow: (exitCode: number) => void,
  clock: Pick<Clock, 'monotonic'>,
): Signals {
  const controller = new AbortController();
  // Many calls listen at the same time: `rm` of fifty containers is no leak.
  setMaxListeners(0, controller.signal);
  const listeners: ((name: NodeJS.Signals) => void)[] = [];
  let exitCode: number | undefined;
  let abortedAtMs = Number.POSITIVE_INFINITY;
  const abort = (code: number): void => {
    exitCode ??= code;
    abortedAtMs = Math.min(abortedAtMs, clock.monotonic());
    controller.abort();
  };

  for (const name of ENDING) {
    source.on(name, () => {
      if (listeners.length > 0) return;
      if (name !== 'SIGINT' || !controller.signal.aborted) return abort(128 + NUMBERS[name]);
      if (clock.monotonic() - abortedAtMs >= SAME_SIGNAL_MS) exitNow(128 + NUMBERS.SIGINT);
    });
  }

  const pass = (name: NodeJS.Signals): void => listeners.at(-1)?.(name);
  return {
    signal: controller.signal,
    abort,
    exitCode: () => exitCode,
    onSuspend: (listener) => {
      const [stop, resume] = [() => listener('SIGTSTP'), () => listener('SIGCONT')];
      source.on('SIGTSTP', stop);
      source.on('SIGCONT', resume);
      return () => {
        source.off('SIGTSTP', stop);
        source.off('SIGCONT', resume);
      };
    },
    forwardTo: (listener) => {
      // A wrapper per call, so that the same listener may be registered twice.
      const forward = (name: NodeJS.Signals): void => listener(name);
      listeners.push(forward);
      if (listeners.length === 1) for (const name of FORWARDED) source.on(name, pass);
      return () => {
        const index = listeners.indexOf(forward);
        if (index < 0) return;
        listeners.splice(index, 1);
        if (listeners.length === 0) for (const name of FORWARDED) source.off(name, pass);
      };
    },
  };
}
