/** Where warnings and debug lines go: stderr through cli/render.ts, or a list in tests. */
export interface Logger {
  /** Shown to the user always, prefixed `WARNING: `. */
  warn(message: string): void;
  /** Shown with --debug only. */
  debug(message: string): void;
}

export const silentLogger: Logger = { warn: () => {}, debug: () => {} };
