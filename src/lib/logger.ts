/** Receives warnings and debug lines: stderr through cli/render.ts, or a list in tests. */
export interface Logger {
  /** Always shown to the user, prefixed `WARNING: `. */
  warn(message: string): void;
  /** Shown only with --debug. */
  debug(message: string): void;
}

/** The log of a long-lived process. */
export interface ServiceLogger extends Logger {
  /** Rare and normal events: a start, a stop, a reconnect. */
  info(message: string): void;
}

export const silentLogger: ServiceLogger = { warn: () => {}, debug: () => {}, info: () => {} };
