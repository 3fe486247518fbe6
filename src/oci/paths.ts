/** Whether a POSIX path begins at the root. */
export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}

/**
 * The shortest absolute path that means the same, without `.`, `..` and doubled slashes. A relative path is taken from
 * `base`.
 */
export function cleanPath(path: string, base = '/'): string {
  const kept: string[] = [];
  for (const part of (isAbsolute(path) ? path : `${base}/${path}`).split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return `/${kept.join('/')}`;
}
