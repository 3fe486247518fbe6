/** Width and height of a character of 12 pixels, and the space around. */
const [CELL, LINE, PADDING] = [7.25, 18, 18];

/** Colours of a dark terminal: those of SGR, and the plain one. */
const CLASSES: Readonly<Record<string, string>> = { '1': 'p', '2': 'd', '31': 'r', '32': 'g', '33': 'w', '7': 'i' };
const STYLE =
  'text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d6dde4;white-space:pre}' +
  '.p{fill:#fff;font-weight:600}.d{fill:#8b949e}.w{fill:#d3a94c}.g{fill:#7fc77f}.r{fill:#e8837c}.i{fill:#1c2128}';

interface Run {
  readonly text: string;
  readonly column: number;
  readonly style: string | undefined;
}

/** A screen as an image. @param lines with colours as escape sequences, all of them one column wide for each character */
export function svgOf(
  lines: readonly string[],
  { columns, label }: { readonly columns: number; readonly label: string },
): string {
  const [width, height] = [Math.ceil(columns * CELL + 2 * PADDING), Math.ceil(lines.length * LINE + 2 * PADDING - 4)];
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escaped(label)}">`,
    `<style>${STYLE}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#1c2128"/>`,
    ...lines.flatMap((line, row) => runsIn(line).flatMap((run) => elementsOf(run, row))),
    '</svg>\n',
  ].join('\n');
}

function elementsOf({ text, column, style }: Run, row: number): readonly string[] {
  if (text.trim() === '' && style !== '7') return [];
  const [x, y, width] = [PADDING + column * CELL, PADDING + 13 + row * LINE, [...text].length * CELL];
  const name = style === undefined ? undefined : CLASSES[style];
  const box = `<rect x="${x}" y="${y - 13}" width="${width}" height="${LINE}" fill="#d6dde4"/>`;
  const words = `<text x="${x}" y="${y}" textLength="${width}" xml:space="preserve"${name === undefined ? '' : ` class="${name}"`}>${escaped(text)}</text>`;
  return style === '7' ? [box, words] : [words];
}

/** The parts of a line that look alike. */
function runsIn(line: string): readonly Run[] {
  const runs: Run[] = [];
  let column = 0;
  let style: string | undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: tmux writes them
  for (const [, codes, text = ''] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (codes !== undefined) style = codes.split(';').reduce(styleAfter, style);
    else {
      runs.push({ text, column, style });
      column += [...text].length;
    }
  }
  return runs;
}

/** Each part of the screen has one style: a new one replaces the last. */
function styleAfter(style: string | undefined, code: string): string | undefined {
  if (code === '' || code === '0') return undefined;
  if (CLASSES[code] !== undefined) return code;
  return code === '39' && style?.startsWith('3') ? undefined : style;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
