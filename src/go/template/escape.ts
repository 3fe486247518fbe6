import { isPrintable } from './unicode.ts';

const HTML: ReadonlyMap<string, string> = new Map([
  ['"', '&#34;'],
  ["'", '&#39;'],
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['\0', '\ufffd'],
]);
const JS: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ["'", "\\'"],
  ['"', '\\"'],
  ['<', '\\u003C'],
  ['>', '\\u003E'],
  ['&', '\\u0026'],
  ['=', '\\u003D'],
]);

/** Go's template.HTMLEscapeString. */
export function escapeHtml(text: string): string {
  return Array.from(text, (character) => HTML.get(character) ?? character).join('');
}

/** Go's template.JSEscapeString. */
export function escapeJs(text: string): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const isPlain = code >= 0x20 && (code < 0x80 || isPrintable(character));
    return JS.get(character) ?? (isPlain ? character : `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`);
  }).join('');
}

/** Go's url.QueryEscape. */
export function escapeQuery(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(character)) escaped += character;
    else escaped += character === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
