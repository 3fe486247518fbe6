/** A key, or the number of a table in a list of tables. */
type Part = string | number;

/** The line of a value, from 1: of the nearest table or key around it if its own is not found, as in an inline table. */
export type LineOf = (...path: readonly Part[]) => number;

/**
 * Finds the lines of keys and tables, which the TOML parser does not tell, in a text that it has accepted.
 *
 * Known limit: keys inside of inline tables have the line of the table.
 */
export function linesOf(text: string): LineOf {
  const lines = new Map<string, number>();
  const note = (path: readonly Part[], line: number): void => {
    for (let length = 1; length <= path.length; length += 1) {
      const key = JSON.stringify(path.slice(0, length));
      if (!lines.has(key)) lines.set(key, line);
    }
  };
  const counts = new Map<string, number>();
  /** With the numbers of the lists of tables that are open: the last one of each. */
  const numbered = (names: readonly string[]): readonly Part[] => {
    const path: Part[] = [];
    for (const name of names) {
      path.push(name);
      const count = counts.get(JSON.stringify(path));
      if (count !== undefined) path.push(count - 1);
    }
    return path;
  };
  let table: readonly Part[] = [];
  for (const { line, content } of codeLines(text)) {
    const [, brackets = '', rest = content] = /^\s*(\[{1,2})(.*)$/.exec(content) ?? [];
    const names = keyAt(rest, brackets === '' ? '=' : ']');
    if (names === undefined) continue;
    if (brackets === '') {
      note([...table, ...names], line);
      continue;
    }
    if (brackets === '[[') {
      const list = JSON.stringify([...numbered(names.slice(0, -1)), ...names.slice(-1)]);
      counts.set(list, (counts.get(list) ?? 0) + 1);
    }
    table = numbered(names);
    note(table, line);
  }
  return (...path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const line = lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  };
}

const QUOTES = /"""|'''/g;

/** The lines that do not begin inside of a string of several lines. */
function* codeLines(text: string): Generator<{ readonly line: number; readonly content: string }> {
  let open: string | undefined;
  for (const [index, content] of text.split('\n').entries()) {
    if (open === undefined) {
      if (content.trimStart().startsWith('#')) continue;
      yield { line: index + 1, content };
    }
    for (const [quote] of content.matchAll(QUOTES)) {
      if (open === undefined) open = quote;
      else if (open === quote) open = undefined;
    }
  }
}

const NAME = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*/y;

/** The names of a dotted key that ends with this character; undefined if the text begins with none. */
function keyAt(text: string, end: '=' | ']'): readonly string[] | undefined {
  const names: string[] = [];
  for (let at = 0; ; at += 1) {
    NAME.lastIndex = at;
    const [all, basic, literal, bare] = NAME.exec(text) ?? [];
    if (all === undefined) return undefined;
    names.push(basic ?? literal ?? bare ?? '');
    at += all.length;
    if (text[at] === end) return names;
    if (text[at] !== '.') return undefined;
  }
}
