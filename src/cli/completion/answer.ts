import type { Found } from './candidates.ts';

/**
 * The answer for a shell's script. The first line says what else the script has to do: `:file` or `:directory` to complete paths itself, `:`
 * for nothing. Each further line is a word, a tab and its description.
 *
 * @param place.before what the words of the line begin with, e.g. `--network=`
 * @param place.cut how many letters of that the shell leaves alone
 */
export function answerText(
  { candidates, paths }: Found,
  { before, cut }: { readonly before: string; readonly cut: number },
): string {
  const lines = candidates.map(({ value, description }) => `${`${before}${value}`.slice(cut)}\t${description}\n`);
  return `:${paths ?? ''}\n${lines.join('')}`;
}
