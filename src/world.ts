import type { Containerd } from './containerd/client.ts';
import { type Clock, systemClock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import type { Settings } from './lib/settings.ts';

export type { Settings } from './lib/settings.ts';

/** The streams of the process, each opened at its first use. */
export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Everything that a command can use. main.ts makes it and passes it in; a function declares the slice that it needs.
 */
export interface World {
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: Settings;
  readonly streams: Streams;
  /**
   * Of the process. `NODE_EXTRA_CA_CERTS` may name certificates that Node.js has not loaded: bin/healthctl skips them
   * to start faster.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Aborts on the first SIGINT, SIGTERM or SIGHUP, unless a command handles signals with `onSignal`, and when stdout
   * has no reader any more.
   */
  readonly signal: AbortSignal;
  /** The caller's; ours is 022. */
  readonly umask: number;
  /**
   * Passes SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH … to the listener until the returned function is called: for
   * `run`, `attach` and `exec`.
   */
  onSignal(listener: (name: NodeJS.Signals) => void): () => void;
  /** Calls the listener in place of a stop by SIGTSTP, and after SIGCONT, until the returned function is called. */
  onSuspend(listener: (name: 'SIGTSTP' | 'SIGCONT') => void): () => void;
  /**
   * Calls the listener before an error that nobody caught is printed and the process ends, until the returned function
   * is called: for a command that has changed the terminal.
   */
  onFailure(listener: () => void): () => void;
  /** Computes the settings again, from the present configuration file, the environment and the flags. Throws CONFIG. */
  reloadSettings(): Promise<Settings>;
  /** The connection to containerd, made at the first use, bound to settings.namespace. */
  containerd(): Promise<Containerd>;
}

/** The parts of the world that belong to the process; main.ts provides them. */
export type WorldParts = Omit<World, 'clock' | 'containerd'>;

/** A world with its clean-up. */
export interface OwnedWorld extends World {
  /** Closes the connection to containerd if one was made. Never throws. */
  close(): Promise<void>;
}

/** Builds the world around the parts of the process. Nothing is loaded or opened before it is used. */
export function createWorld(parts: WorldParts): OwnedWorld {
  let connection: Promise<Containerd> | undefined;
  const open = async (): Promise<Containerd> => {
    const { connect } = await import('./containerd/client.ts');
    return connect(parts.settings);
  };
  return {
    ...parts,
    clock: systemClock,
    containerd: () => {
      connection ??= open();
      return connection;
    },
    close: async () => {
      const opened = connection;
      connection = undefined;
      await opened?.then((containerd) => containerd.close()).catch(() => undefined);
    },
  };
}
