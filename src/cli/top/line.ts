import { printableLine } from '../../lib/printable.ts';
import { displayWidth } from '../format/columns.ts';

/** How a part of a line looks. */
export type Style = 'good' | 'bad' | 'warn' | 'dim' | 'title' | 'reverse' | 'bold';

/** A part of a line. Its text is safe for a terminal. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** Turns styles into what a terminal reads. */
export type Palette = (style: Style, text: string) => string;

const COLOURS: Readonly<Record<Style, string>> = {
  ...{ good: '32', bad: '31', warn: '33', dim: '2', title: '1', reverse: '7', bold: '1' },
};

/** No style at all: for terminals that have none, and for tests. */
export const PLAIN: Palette = (_style, text) => text;
export const COLOURED: Palette = (style, text) => `\x1b[${COLOURS[style]}m${text}\x1b[0m`;
/** Without colours (https://no-color.org): bold and reverse stay. */
export const UNCOLOURED: Palette = (style, text) =>
  style === 'good' || style === 'bad' || style === 'warn' || style === 'dim' ? text : COLOURED(style, text);

/** Text from anywhere, safe for a terminal. */
export const safe = (text: string, style?: Style): Span => ({
  text: printableLine(text),
  ...(style === undefined ? {} : { style }),
});

/** Cuts a text to a number of columns, the last one a mark, and fills it up. The text is safe. */
export function toWidth(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = displayWidth(text) <= width ? text : cutTo(text, width);
  const space = ' '.repeat(Math.max(0, width - displayWidth(cut)));
  return align === 'left' ? cut + space : space + cut;
}

/** The last column shows that something is missing. */
function cutTo(text: string, width: number): string {
  if (width <= 0) return '';
  return `${headOf(text, width - 1).head}~`;
}

/** As much of a text as fits, and the rest. */
function headOf(text: string, width: number): { readonly head: string; readonly rest: string } {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width) break;
    end += character.length;
  }
  return { head: text.slice(0, end), rest: text.slice(end) };
}

/** Shortest line that is worth an indent. */
const WORTH_INDENT = 30;

/** A text in lines of at most this many columns, broken between words where there are some; all but the first are indented. */
export function wrap(text: string, width: number, indent = 0): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  do {
    const space = lines.length === 0 || width - indent < WORTH_INDENT ? '' : ' '.repeat(indent);
    const cut = headOf(rest, Math.max(1, width - space.length));
    // A character that is wider than the screen must not be tried for ever.
    if (cut.head === '') break;
    const end = cut.rest === '' ? cut.head.length : breakOf(rest, cut.head.length);
    lines.push(space + rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  } while (rest !== '');
  return lines.length === 0 ? [''] : lines;
}

/** After the last space, unless that leaves most of the line empty. */
function breakOf(text: string, end: number): number {
  if (text[end] === ' ') return end;
  const space = text.lastIndexOf(' ', end);
  return space > end / 2 && text.slice(0, space).trim() !== '' ? space : end;
}

/** A line of at most this many columns. */
export function lineOf(spans: readonly Span[], width: number, palette: Palette): string {
  let left = width;
  let line = '';
  for (const { text, style } of spans) {
    if (left <= 0) break;
    const own = displayWidth(text) <= left ? text : toWidth(text, left);
    left -= displayWidth(own);
    line += style === undefined || own === '' ? own : palette(style, own);
  }
  return line;
}
