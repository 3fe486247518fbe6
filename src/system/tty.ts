import { openLibc, systemError } from './libc.ts';

/** At least the size of `struct termios` in every C library. */
const TERMIOS_BYTES = 128;
const TCSANOW = 0;

/**
 * Puts a terminal into raw mode, including output: Node.js's own raw mode still turns newlines into CR LF, which spoils
 * the drawing of programs behind a second terminal. If the process ends without calling the result, Node.js restores
 * the terminals with which it was started.
 *
 * @returns a function that restores the terminal; may be called twice
 */
export function makeRaw(fd: number): () => void {
  const libc = openLibc();
  const before = Buffer.alloc(TERMIOS_BYTES);
  if (libc.func('int tcgetattr(int fd, void *termios)')(fd, before) !== 0) throw systemError(libc, 'tcgetattr');
  const raw = Buffer.from(before);
  libc.func('void cfmakeraw(void *termios)')(raw);
  const set = (termios: Buffer): number =>
    libc.func('int tcsetattr(int fd, int actions, const void *termios)')(fd, TCSANOW, termios);
  if (set(raw) !== 0) throw systemError(libc, 'tcsetattr');
  let isRaw = true;
  return () => {
    // A terminal that has hung up accepts no settings, and needs none.
    if (isRaw) set(before);
    isRaw = false;
  };
}
