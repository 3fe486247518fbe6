import { openLibc, systemError } from './libc.ts';

/** More than `struct termios` takes in any C library. */
const TERMIOS_BYTES = 128;
const TCSANOW = 0;

/**
 * Puts a terminal into raw mode, output included: Node.js's own raw mode keeps turning newlines into CR LF, which spoils what a program
 * behind a second terminal draws. When the process ends without calling back, Node.js restores the terminals it was started with.
 *
 * @returns puts it back as it was; may be called twice
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
    // A terminal that has hung up takes no settings any more, and needs none.
    if (isRaw) set(before);
    isRaw = false;
  };
}
