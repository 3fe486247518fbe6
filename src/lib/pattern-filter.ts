/**
 * Docker's filters by a name or an id (moby: api/types/filters, Args.Match): the whole text, or a regular expression that matches
 * somewhere in it. What is no regular expression matches the whole text only. Go's `(?i)` in front is understood.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  return pattern === text || expressionOf(pattern)?.test(text) === true;
}

function expressionOf(pattern: string): RegExp | undefined {
  const [, insensitive, source = ''] = /^(\(\?i\))?(.*)$/s.exec(pattern) ?? [];
  try {
    return new RegExp(source, insensitive === undefined ? '' : 'i');
  } catch {
    return undefined;
  }
}
