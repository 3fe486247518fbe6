/**
 * The words of a line that bash is about to run, without their quotes; the last one is where the cursor is, and may be
 * empty. Nothing is expanded: `$HOME` stays `$HOME`.
 */
export function wordsOfLine(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [token, single, double, escaped] of line.matchAll(TOKEN)) {
    if (/^[ \t\n]/.test(token)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + (single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? token);
    }
  }
  return [...words, word ?? ''];
}

/** White space; text in quotes, which may be open at the end; an escaped letter; anything else. */
const TOKEN = /[ \t\n]+|'([^']*)(?:'|$)|"((?:\\[\s\S]|[^"\\])*)(?:"|\\?$)|\\([\s\S])|[^ \t\n'"\\]+|\\$/g;
