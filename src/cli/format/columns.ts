/** The cells of Docker's lists are at least this wide, padding included. */
const MIN_WIDTH = 10;
const PADDING = 3;

/** East Asian wide and fullwidth characters, and emoji. */
const WIDE = String.raw`[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}`;
const NARROW = /^[ -~]*$/;

/**
 * Aligns cells that end with a tab, like docker/cli's tabwriter: a column is a run of lines with the cell, as wide as
 * its widest cell plus three spaces. Text after the last tab of a line is not padded.
 *
 * @param minWidth of a cell with its padding; `top` has 20
 */
export function alignColumns(text: string, minWidth = MIN_WIDTH): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const columns = lines.reduce((most, cells) => Math.max(most, cells.length - 1), 0);
  for (let column = 0; column < columns; column++) alignColumn(lines, { column, minWidth });
  return lines.map((cells) => cells.join('')).join('\n');
}

/** Pads one column, each run of lines that have it by itself. */
function alignColumn(lines: string[][], { column, minWidth }: { column: number; minWidth: number }): void {
  const hasCell = (line: readonly string[] | undefined) => line !== undefined && column < line.length - 1;
  for (let start = 0; start < lines.length; start++) {
    if (!hasCell(lines[start])) continue;
    let end = start;
    while (hasCell(lines[end])) end++;
    const run = lines.slice(start, end);
    const widths = run.map((cells) => displayWidth(cells[column] ?? ''));
    const width = widths.reduce((widest, cell) => Math.max(widest, cell + PADDING), minWidth);
    for (const [i, cells] of run.entries()) cells[column] += ' '.repeat(width - (widths[i] ?? 0));
    start = end;
  }
}

/** The width of a text in terminal columns: wide characters take two, combining ones none. */
export function displayWidth(text: string): number {
  if (NARROW.test(text)) return text.length;
  const wide = new RegExp(WIDE, 'u');
  const unseen = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;
  let width = 0;
  for (const character of text) {
    if (unseen.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}
