import { isRangeName, type RangeName } from '../wire.ts';

/** What the page shows: the part of its address after `#`. */
type View =
  | { readonly kind: 'containers' }
  | { readonly kind: 'container'; readonly key: string }
  | { readonly kind: 'host' };

export interface Route {
  readonly view: View;
  readonly range: RangeName;
}

export function routeFrom(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [noun, word] = path.split('/');
  const range = new URLSearchParams(query).get('range') ?? '';
  return { view: viewFrom(noun, word), range: isRangeName(range) ? range : '90m' };
}

function viewFrom(noun: string | undefined, word: string | undefined): View {
  if (noun === 'host') return { kind: 'host' };
  if (noun !== 'container' || word === undefined) return { kind: 'containers' };
  try {
    return { kind: 'container', key: decodeURIComponent(word) };
  } catch {
    return { kind: 'containers' };
  }
}

/** The inverse of `routeFrom`. */
export function hashOf({ view, range }: Route): string {
  const path = view.kind === 'container' ? `container/${encodeURIComponent(view.key)}` : view.kind;
  return `#/${path}?range=${range}`;
}
