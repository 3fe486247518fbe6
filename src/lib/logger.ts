/** Where warnings and debug lines go: stderr through cli/render.ts, or a list in tests. */
export interface Logger {
  /** Shown to the user always, prefixed `WARNING: `. */
  warn(message: string): void;
  /** Shown with --debug only. */
  debug(message: string): void;
}

/** The log of a process that lives long. */
export interface ServiceLogger extends Logger {
  /** What happens once in a while and is no trouble: a start, a stop, a reconnect. */
  info(message: string): void;
}

export const silentLogger: ServiceLogger = { warn: () => {}, debug: () => {}, info: () => {} };
