import { closeSync, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { errnoOf } from '../lib/errors.ts';
import { openInRoot, openRoot, type SnapshotMount } from './rootfs.ts';

/** The kernel's own limit. */
const MAX_LINKS = 40;

/**
 * The target of a path in an image, if a symbolic link on the way points to a missing path: Docker creates it for a
 * working directory. Undefined if nothing dangles, and for circular links. Links are followed only inside the root.
 *
 * @param parent a directory for the mount
 */
export function danglingTarget(
  mounts: readonly SnapshotMount[],
  path: string,
  { parent }: { readonly parent: string },
): string | undefined {
  const root = openRoot(mounts, parent);
  try {
    return follow(root, path);
  } finally {
    closeSync(root);
  }
}

function follow(root: number, path: string): string | undefined {
  let rest = namesOf(path);
  let at: readonly string[] = [];
  for (let links = 0; links <= MAX_LINKS; ) {
    const [name, ...further] = rest;
    if (name === undefined) return undefined;
    rest = further;
    if (name === '..') {
      at = at.slice(0, -1);
      continue;
    }
    const found = objectAt(root, at, name);
    if (found === undefined) return links > 0 ? `/${resolved([...at, name, ...rest]).join('/')}` : undefined;
    if (found.target === undefined) {
      at = [...at, name];
      continue;
    }
    links += 1;
    if (found.target.startsWith('/')) at = [];
    rest = [...namesOf(found.target), ...rest];
  }
  return undefined;
}

/** The object of this name in an existing directory; undefined if there is none. */
function objectAt(root: number, directory: readonly string[], name: string): { readonly target?: string } | undefined {
  const parent = openInRoot(root, `/${directory.join('/')}`);
  if (parent === undefined) return undefined;
  const path = `/proc/self/fd/${parent}/${name}`;
  try {
    const stats: Stats = lstatSync(path);
    return stats.isSymbolicLink() ? { target: readlinkSync(path) } : {};
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  } finally {
    closeSync(parent);
  }
}

const namesOf = (path: string): readonly string[] => path.split('/').filter((name) => name !== '' && name !== '.');

function resolved(names: readonly string[]): readonly string[] {
  const result: string[] = [];
  for (const name of names) {
    if (name === '..') result.pop();
    else result.push(name);
  }
  return result;
}
