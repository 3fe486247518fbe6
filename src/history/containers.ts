import type { Change } from './model.ts';

/** A container that the history knows, also one that is gone. */
export interface PastContainer {
  readonly key: string;
  readonly namespace: string;
  readonly id: string;
  /** The last one. */
  readonly name: string;
  /** All names that it had. */
  readonly names: ReadonlySet<string>;
  readonly image: string;
  /** Its changes, and the gaps, oldest first. */
  readonly changes: readonly Change[];
}

/** @param changes of all containers, oldest first */
export function pastContainers(changes: readonly Change[]): readonly PastContainer[] {
  const found = new Map<string, { names: Set<string>; name: string; image: string; changes: Change[] }>();
  for (const change of changes) {
    if (change.kind === 'gap') {
      for (const { changes: own } of found.values()) own.push(change);
      continue;
    }
    const known = found.get(change.key) ?? { names: new Set(), name: '', image: '', changes: [] };
    found.set(change.key, known);
    known.changes.push(change);
    if (change.kind !== 'seen') continue;
    known.names.add(change.name);
    Object.assign(known, { name: change.name, image: change.image });
  }
  return [...found].map(([key, known]) => {
    const [namespace = '', id = ''] = splitKey(key);
    return { key, namespace, id, ...known, name: known.name === '' ? id.slice(0, 12) : known.name };
  });
}

/** A namespace contains no slash; an id of another tool might. */
function splitKey(key: string): readonly string[] {
  const at = key.indexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}

/**
 * The containers that a user means: all that had this name, one after the other; else the one whose id begins with it.
 *
 * @returns oldest first
 */
export function namedContainers(
  containers: readonly PastContainer[],
  { namespace, nameOrId }: { readonly namespace: string; readonly nameOrId: string },
): readonly PastContainer[] {
  const own = containers.filter((container) => container.namespace === namespace);
  const byName = own.filter(({ names }) => names.has(nameOrId));
  if (byName.length > 0 || nameOrId === '') return byName;
  const byId = own.filter(({ id }) => id.startsWith(nameOrId));
  return byId.length === 1 ? byId : [];
}
