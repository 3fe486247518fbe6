import type { Logger } from '../../lib/logger.ts';

/** A log that goes where other commands' logs go, or on the screen while there is one. */
export class TopLog implements Logger {
  readonly #usual: Logger;
  #toScreen: ((text: string) => void) | undefined;

  constructor(usual: Logger) {
    this.#usual = usual;
  }

  warn(text: string): void {
    if (this.#toScreen) this.#toScreen(text);
    else this.#usual.warn(text);
  }

  debug(text: string): void {
    if (!this.#toScreen) this.#usual.debug(text);
  }

  /** @returns a function that ends this */
  redirect(toScreen: (text: string) => void): () => void {
    this.#toScreen = toScreen;
    return () => {
      this.#toScreen = undefined;
    };
  }
}
