import type { TerminalSize } from '../container/console/terminal.ts';
import { quote } from '../go/quote.ts';
import { EngineError } from './errors.ts';
import type { Query } from './query.ts';

/** The size in a query: `h` rows and `w` columns. Throws 400 with Docker's texts. */
export function terminalSizeFrom(query: Query): TerminalSize {
  return { height: cellsFrom(query.text('h'), 'height'), width: cellsFrom(query.text('w'), 'width') };
}

const MAX_UINT32 = 2 ** 32 - 1;

function cellsFrom(text: string, what: string): number {
  const cells = /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
  if (cells !== undefined && cells >= 0 && cells <= MAX_UINT32) return cells;
  const reason = cells === undefined ? 'invalid syntax' : 'value out of range';
  throw new EngineError(400, `invalid resize ${what} ${quote(text)}: ${reason}`);
}
