import type { Found } from './candidates.ts';

/**
 * The answer for a shell's script. The first line says what else the script has to do: `:file` or `:directory` to
 * complete paths itself, `:` for nothing. Each further line is a word, a tab and its description.
 *
 * Each word begins with `before`, e.g. `--network=`, but for its first `cut` letters, which the shell does not replace.
 */
export function answerText(
  { candidates, paths }: Found,
  { before, cut }: { readonly before: string; readonly cut: number },
): string {
  const lines = candidates.map(({ value, description }) => `${`${before}${value}`.slice(cut)}\t${description}\n`);
  return `:${paths ?? ''}\n${lines.join('')}`;
}
