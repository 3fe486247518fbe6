import { type Row, tableOf } from './table.ts';

/** Prints figures: each row once it is known, and all as a table at the end, also if that comes early. */
export interface Report {
  /** Prints a note. */
  note(text: string): void;
  add(...rows: readonly Row[]): void;
  /** The rows of a measurement in progress, for an interrupted run; undefined after its end. */
  setPartial(rowsOf: (() => readonly Row[]) | undefined): void;
  /** Prints the table, once. */
  end(): void;
}

export function createReport(print: (text: string) => void = console.log): Report {
  const rows: Row[] = [];
  let partial: (() => readonly Row[]) | undefined;
  let hasEnded = false;
  const note = (text: string): void => {
    if (!hasEnded) print(text); // what was interrupted may still run
  };
  return {
    note,
    add: (...more) => {
      rows.push(...more);
      for (const { what, healthctl, docker, figure } of more)
        note(`  ${what}: healthctl ${healthctl}; Docker ${docker}${figure === '' ? '' : `; ${figure}`}`);
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
