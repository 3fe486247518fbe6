/** The result of parsing a text. Errors are values: one clause that says what is wrong. */
export type Parsed<T> = { readonly kind: 'ok'; readonly value: T } | Malformed;

export interface Malformed {
  readonly kind: 'malformed';
  readonly reason: string;
}

export const ok = <T>(value: T): Parsed<T> => ({ kind: 'ok', value });
export const malformed = (reason: string): Malformed => ({ kind: 'malformed', reason });

/** A text for use in a message: one line, of bounded length. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}...` : text);
}

/** The text before and after the first separator; without a separator, all of it is before. */
export function splitAt(text: string, separator: string): readonly [before: string, behind: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
