import { quote } from '../go/quote.ts';
import { HealthctlError } from '../lib/errors.ts';

/** The output of `top`. */
export interface ProcessTable {
  readonly titles: readonly string[];
  /** One cell per title. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * Refuses options of ps that would give another column the title PID, by which lines are recognised (moby,
 * daemon/top_unix.go).
 *
 * @throws INVALID `specifying "x=PID" is not allowed`
 */
export function checkPsOptions(options: string): void {
  const [, name, title] = /\s+(\S*)=\s*(PID\S*)/.exec(` ${options}`) ?? [];
  if (name === undefined || title === undefined || name === 'pid') return;
  throw new HealthctlError('INVALID', `specifying "${name}=${title}" is not allowed`);
}

/**
 * The lines of ps for these processes. Spaces separate cells, except within the last one, which is usually a command
 * line.
 *
 * @throws RUNTIME with Docker's text if the output has no column PID, or no number in it
 */
export function parseProcessTable(output: string, pids: readonly number[]): ProcessTable {
  const [head = '', ...lines] = output.split('\n');
  const titles = cellsOf(head);
  const pidColumn = titles.lastIndexOf('PID');
  if (pidColumn < 0) throw new HealthctlError('RUNTIME', "Couldn't find PID field in ps output");
  const wanted = new Set(pids);
  const rows = lines.map(cellsOf).filter((cells) => {
    if (cells.length === 0) return false;
    const pid = cells[pidColumn] ?? '';
    if (!/^\d{1,10}$/.test(pid)) throw new HealthctlError('RUNTIME', `Unexpected pid ${quote(pid)} in ps output`);
    return wanted.has(Number(pid));
  });
  const last = titles.length - 1;
  return { titles, rows: rows.map((cells) => [...cells.slice(0, last), cells.slice(last).join(' ')]) };
}

const cellsOf = (line: string): readonly string[] => line.split(/[\t\n\f\r ]+/).filter((cell) => cell !== '');
