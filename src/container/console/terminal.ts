import { makeRaw } from '../../system/tty.ts';
import type { UserConsole } from './user-console.ts';

const STDIN_FD = 0;

/** In columns and rows. */
export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** Sets the size of a container's terminal. */
export type Resize = (size: TerminalSize) => Promise<void>;

/** The size of the user's terminal; undefined if stdout is no terminal. */
export function terminalSize({ streams }: Pick<UserConsole, 'streams'>): TerminalSize | undefined {
  const { isTTY, columns, rows } = streams.stdout;
  return isTTY && columns !== undefined && rows !== undefined ? { width: columns, height: rows } : undefined;
}

/**
 * Passes keys on as they are typed, also Ctrl-C.
 * @returns a function that restores the user's terminal; may be called twice
 */
export function takeKeys({ streams }: Pick<UserConsole, 'streams'>): () => void {
  return streams.stdin.isTTY ? makeRaw(STDIN_FD) : () => {};
}

/** Keeps a container's terminal at the size of the user's, from now on. @returns a function that ends this */
export function followSize({ streams }: Pick<UserConsole, 'streams'>, resize: Resize): () => void {
  const apply = (): void => {
    const size = terminalSize({ streams });
    if (size) void resize(size);
  };
  if (!streams.stdout.isTTY) return () => {};
  apply();
  streams.stdout.on('resize', apply);
  return () => streams.stdout.off('resize', apply);
}
