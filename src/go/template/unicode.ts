// V8 takes milliseconds to compile a pattern with character properties at module load. Inside functions this is
// deferred, so that a command pays for it only if it meets text beyond ASCII.

/** Whether Go's unicode.IsPrint holds for a character. */
export function isPrintable(character: string): boolean {
  if (isAscii(character)) return character >= ' ' && character <= '~';
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character);
}

/** The length of the run of letters, digits and underscores that begins at an index. */
export function wordLengthAt(text: string, index: number): number {
  const ascii = /\w*/y;
  ascii.lastIndex = index;
  const length = ascii.exec(text)?.[0].length ?? 0;
  if (index + length >= text.length || text.charCodeAt(index + length) < 0x80) return length;
  const any = /[\p{L}\p{Nd}_]*/uy;
  any.lastIndex = index;
  return any.exec(text)?.[0].length ?? 0;
}

export function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
