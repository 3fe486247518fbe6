import { displayWidth } from './columns.ts';

/** Cuts a text to a number of terminal columns, the last one an ellipsis (docker/cli, formatter/displayutils.go). */
export function ellipsis(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
