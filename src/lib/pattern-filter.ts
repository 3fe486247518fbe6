/**
 * Docker's filters by name or id (moby: api/types/filters, Args.Match): the whole text, or a regular expression that
 * matches some part of it. An invalid regular expression matches the whole text only. A leading `(?i)` of Go is
 * supported.
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
