/**
 * Characters that a terminal interprets or a reader does not see: control characters (C0, C1), line and paragraph
 * separators, and the marks of bidirectional text, which change the visible order of a text.
 */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const PLAIN = /^[ -~]*$/;

/**
 * Makes text safe for a terminal: an escape sequence becomes `\x1b[2J`, a mark of direction `\u202e`. Newlines and tabs
 * stay; CR LF becomes a newline. Names, labels, outputs and answers come from images, containers, registries and daemons.
 */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .replaceAll('\r\n', '\n')
    .replace(UNSEEN, (character) => (character === '\n' || character === '\t' ? character : escapeOf(character)));
}

/** Like `printable`, for one line or one cell: newlines and tabs become `\x0a` and `\x09`. */
export function printableLine(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSEEN, escapeOf);
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
