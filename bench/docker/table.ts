/** A printed row: figures in milliseconds. */
export interface Row {
  readonly what: string;
  readonly healthctl: string;
  readonly docker: string;
  /** What is compared with the target, e.g. `0.81 x`. */
  readonly figure: string;
  readonly target: string;
  /** Undefined without a target. */
  readonly reached: boolean | undefined;
}

export function quantile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Median and range. */
export function spread(list: readonly number[], digits = 1): string {
  const [middle, least, most] = [0.5, 0, 1].map((share) => quantile(list, share).toFixed(digits));
  return `${middle} (${least} to ${most})`;
}

export function tableOf(rows: readonly Row[]): string {
  const head = ['what, in ms', 'healthctl', 'Docker', 'figure', 'target', 'verdict'];
  const verdictOf = ({ reached }: Row) => (reached === undefined ? '' : reached ? 'reached' : 'missed');
  const lines = rows.map((row) => [row.what, row.healthctl, row.docker, row.figure, row.target, verdictOf(row)]);
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]?.length ?? 0)));
  const lineOf = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [lineOf(head), lineOf(widths.map((width) => '-'.repeat(width))), ...lines.map(lineOf)].join('\n');
}
