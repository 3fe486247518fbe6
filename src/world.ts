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

/** All that a command can reach. Made by main.ts, passed in; functions declare the slice that they use. */
export interface World {
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: Settings;
  readonly streams: Streams;
  /** Of the process. `NODE_EXTRA_CA_CERTS` may name certificates that Node.js has not loaded: bin/healthctl skips them, to start sooner. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP, and when nobody reads stdout any more, unless a command has taken the signals over with `onSignal`. */
  readonly signal: AbortSignal;
  /** Takes SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH … over until the returned function is called (for `run`, `attach`, `exec`). */
  onSignal(listener: (name: NodeJS.Signals) => void): () => void;
  /** The settings as the configuration file, the environment and the flags of this call have them now. Throws CONFIG. */
  reloadSettings(): Promise<Settings>;
  /** The connection to containerd, made at the first use, bound to settings.namespace. */
  containerd(): Promise<Containerd>;
}

/** What main.ts brings: the parts of the world that belong to the process. */
export type WorldParts = Pick<World, 'log' | 'settings' | 'streams' | 'env' | 'signal' | 'onSignal' | 'reloadSettings'>;

/** A world, and how it ends. */
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
