import type { Streams } from '../../world.ts';
import type { Size } from './model.ts';

/** The alternate screen, no cursor, no wrapping of long lines, marks around what is pasted; an empty screen. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[0m\x1b[2J';
const LEAVE = '\x1b[0m\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l';

/**
 * Pure: what is written to turn one screen into another: each line that differs. A line is erased first: after its last
 * column was written, erasing the rest of it would erase that column.
 */
export function changesBetween(before: readonly string[], after: readonly string[]): string {
  return after.map((line, row) => (line === before[row] ? '' : `\x1b[${row + 1};1H\x1b[K${line}`)).join('');
}

/**
 * The user's terminal while it is ours.
 *
 * INVARIANT: after `leave` it is as before `enter`, however often either was called.
 */
export interface Screen {
  /** Takes the terminal: keys come one by one, and what was on it comes back later. Draws everything anew next time. */
  enter(): void;
  leave(): void;
  readonly size: Size;
  /** Writes what has changed since the last lines. Nothing while the terminal is not ours. */
  show(lines: readonly string[]): void;
  /** Everything is drawn again, for a terminal that another program wrote on. */
  forget(): void;
}

export function openScreen({ stdin, stdout }: Pick<Streams, 'stdin' | 'stdout'>): Screen {
  let shown: readonly string[] = [];
  let isOurs = false;
  const forget = (): void => {
    shown = [];
  };
  return {
    enter: () => {
      // Twice, because Node.js does nothing for the mode that it believes in, and another program may have changed it.
      stdin.setRawMode(false);
      stdin.setRawMode(true);
      stdout.write(ENTER);
      isOurs = true;
      forget();
    },
    leave: () => {
      if (!isOurs) return;
      isOurs = false;
      stdout.write(LEAVE);
      stdin.setRawMode(false);
    },
    get size() {
      // A serial console says nothing of its size.
      return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
    },
    show: (lines) => {
      if (!isOurs) return;
      const changes = changesBetween(shown, lines);
      const clear = shown.length === 0 ? '\x1b[0m\x1b[2J' : '';
      shown = lines;
      if (changes !== '') stdout.write(clear + changes);
    },
    forget,
  };
}
