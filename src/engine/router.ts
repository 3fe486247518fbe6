import { EngineError } from './errors.ts';
import type { Route } from './route.ts';
import { type ApiVersion, negotiate } from './version.ts';

export interface Matched {
  readonly route: Route;
  readonly version: ApiVersion;
  part(name: string): string;
}

/** Finds the route of a request. */
export interface Router {
  /**
   * @param target of the request line: `/v1.51/containers/json?all=1`
   * @throws EngineError 404 `page not found`, for a wrong method too; 400 for a version that is not served
   */
  match(method: string, target: string): Matched;
}

const VERSION = /^\/v(\d+(?:\.\d+)?)(?=\/)/;

/**
 * Written here because a part of a path in the middle may contain slashes (`/images/docker.io/library/web/json`), which
 * routers for the web do not support. Patterns are tried in order within one method and first segment.
 */
export function createRouter(routes: readonly Route[]): Router {
  const bySegment = new Map<string, Compiled[]>();
  for (const route of routes) {
    const group = groupOf(route.method, route.path);
    bySegment.set(group, [...(bySegment.get(group) ?? []), compiled(route)]);
  }
  return {
    match: (method, target) => {
      const [whole = ''] = target.split('?', 1);
      const version = VERSION.exec(whole);
      const path = version ? whole.slice(version[0].length) : whole;
      for (const { route, pattern } of bySegment.get(groupOf(method, path)) ?? []) {
        const found = pattern.exec(path);
        if (!found) continue;
        return { route, version: negotiate(version?.[1]), part: (name) => decoded(found.groups?.[name] ?? '') };
      }
      throw new EngineError(404, 'page not found');
    },
  };
}

const groupOf = (method: string, path: string): string => `${method} ${path.split('/', 2)[1] ?? ''}`;

interface Compiled {
  readonly route: Route;
  readonly pattern: RegExp;
}

function compiled(route: Route): Compiled {
  const source = route.path
    .split(/(\{\w+\})/)
    .map((piece) =>
      piece.startsWith('{') ? `(?<${piece.slice(1, -1)}>.+)` : piece.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return { route, pattern: new RegExp(`^${source}$`) };
}

/** A text that cannot be decoded is used unchanged: no name has a lone percent sign. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
