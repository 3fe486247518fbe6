import { type Row, tableOf } from './table.ts';

/** Prints what was measured: each row when it is known, and all of them as a table at the end, also when that comes early. */
export interface Report {
  /** Prints a remark. */
  say(text: string): void;
  add(...rows: readonly Row[]): void;
  /** What is to be told of a measurement under way when the run is cut off; undefined when it is over. */
  setPartial(rowsOf: (() => readonly Row[]) | undefined): void;
  /** Prints the table, once. */
  end(): void;
}

export function createReport(print: (text: string) => void = console.log): Report {
  const rows: Row[] = [];
  let partial: (() => readonly Row[]) | undefined;
  let hasEnded = false;
  const say = (text: string): void => {
    if (!hasEnded) print(text); // what was interrupted may still go on
  };
  return {
    say,
    add: (...more) => {
      rows.push(...more);
      for (const { what, healthctl, docker, figure } of more)
        say(`  ${what}: healthctl ${healthctl}; Docker ${docker}${figure === '' ? '' : `; ${figure}`}`);
    },
    setPartial: (rowsOf) => {
      partial = rowsOf;
    },
    end: () => {
      if (hasEnded) return;
      hasEnded = true;
      const cut = (partial?.() ?? []).map((row) => ({ ...row, what: `${row.what} (cut off)` }));
      if (rows.length + cut.length > 0) print(`\n${tableOf([...rows, ...cut])}`);
    },
  };
}

export function ratio(value: number, limit: number): Pick<Row, 'figure' | 'target' | 'reached'> {
  return { figure: `${value.toFixed(2)} times`, target: `${Number(limit.toFixed(3))} times`, reached: value <= limit };
}
