const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** Printable ASCII without quotes and backslashes: most texts match, which avoids the large expression below. */
const PLAIN = /^[ !#-[\]-~]*$/;

/**
 * Quotes like Go's `strconv.Quote` (`%q`): printable text stays, control characters become `\n`, `\x1b` or `\u200b`.
 */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return `"${text.replace(/["\\]|\p{C}|\p{Zl}|\p{Zp}|(?! )\p{Zs}/gu, escapeCharacter)}"`;
}

function escapeCharacter(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** Quotes like Go's package time: ASCII stays, control bytes and all bytes above ASCII become \xNN. */
export function quoteBytes(text: string): string {
  let quoted = '"';
  for (const byte of Buffer.from(text)) {
    if (byte < 0x20 || byte >= 0x80) quoted += `\\x${byte.toString(16).padStart(2, '0')}`;
    else quoted += byte === 0x22 || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : String.fromCharCode(byte);
  }
  return `${quoted}"`;
}
