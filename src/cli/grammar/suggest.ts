const MAX_DISTANCE = 2;
const MAX_SUGGESTIONS = 3;

/**
 * The names that a mistyped word may have meant, nearest first: those that begin with it, and those at most two edits
 * away (cobra's rule). Short words need to be nearer: two edits turn `rm` into anything.
 */
export function suggestionsFor(word: string, names: readonly string[]): readonly string[] {
  if (word === '' || word.length > 30) return [];
  const limit = Math.min(MAX_DISTANCE, Math.floor(word.length / 2));
  return [...new Set(names)]
    .map((name) => ({
      name,
      distance: name.startsWith(word) ? 0 : editDistance(word.toLowerCase(), name.toLowerCase()),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ name }) => name);
}

/** Levenshtein distance: insertions, deletions and replacements. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [at, letter] of [...from].entries()) {
    const next = [at + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
