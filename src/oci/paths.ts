/** Whether a POSIX path begins at the root. */
export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}

/** Whether a relative path cannot lead out of its directory, going by its text alone (Go's filepath.IsLocal). */
export function isLocalPath(path: string): boolean {
  if (path === '' || isAbsolute(path)) return false;
  let depth = 0;
  for (const part of path.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) return false;
  }
  return true;
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
