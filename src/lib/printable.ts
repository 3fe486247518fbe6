/**
 * Text that a terminal shows and does not obey: control characters but newline and tab become `\x1b`.
 * Names, outputs and answers that errors quote come from images, registries and daemons.
 */
export function printable(text: string): string {
  return text.replace(
    /(?![\n\t])\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
