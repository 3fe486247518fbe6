import { type BigIntStats, closeSync, fstatSync, lstatSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../../lib/errors.ts';
import { O_PATH, openAt, openNode } from '../../system/openat2.ts';

/** Docker's description of a path in a container, in the form of its header `X-Docker-Container-Path-Stat`. */
export interface PathStat {
  /** The last component as it was given. */
  readonly name: string;
  readonly size: number;
  /** Go's fs.FileMode. */
  readonly mode: number;
  /** RFC 3339. */
  readonly mtime: string;
  /** Where a symbolic link leads, as far as it can be followed in the container; empty for anything else. */
  readonly linkTarget: string;
}

/** The bits of Go's fs.FileMode above the permissions. */
const GO_MODE = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  characterDevice: 2 ** 21,
  sticky: 2 ** 20,
} as const;

const MAX_LINKS = 255;

export const isDirectoryMode = (mode: number): boolean => mode >= GO_MODE.directory;
export const isSymlinkMode = (mode: number): boolean => Math.floor(mode / GO_MODE.symlink) % 2 === 1;

/** A device, a FIFO or a socket. */
export const isSpecialMode = (mode: number): boolean =>
  [GO_MODE.device, GO_MODE.fifo, GO_MODE.socket].some((bit) => Math.floor(mode / bit) % 2 === 1);

/** Describes a path in a root without following a link at its end. Throws system errors: ENOENT, ENOTDIR … */
export function statPath(root: number, path: string): PathStat {
  const node = openNode(root, path);
  let stats: BigIntStats;
  try {
    stats = fstatSync(node, { bigint: true });
  } finally {
    closeSync(node);
  }
  return {
    name: baseOf(path),
    size: Number(stats.size),
    mode: goModeOf(stats),
    mtime: mtimeText(stats.mtimeNs),
    linkTarget: stats.isSymbolicLink() ? followLink(root, path) : '',
  };
}

/** Go's filepath.Base. */
export function baseOf(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return path === '' ? '.' : '/';
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

function goModeOf(stats: BigIntStats): number {
  const unix = Number(stats.mode);
  const kinds: readonly (readonly [boolean, number])[] = [
    [stats.isDirectory(), GO_MODE.directory],
    [stats.isSymbolicLink(), GO_MODE.symlink],
    [stats.isFIFO(), GO_MODE.fifo],
    [stats.isSocket(), GO_MODE.socket],
    [stats.isBlockDevice(), GO_MODE.device],
    [stats.isCharacterDevice(), GO_MODE.device + GO_MODE.characterDevice],
    [(unix & 0o4000) !== 0, GO_MODE.setuid],
    [(unix & 0o2000) !== 0, GO_MODE.setgid],
    [(unix & 0o1000) !== 0, GO_MODE.sticky],
  ];
  return kinds.reduce((mode, [is, bit]) => mode + (is ? bit : 0), unix & 0o777);
}

function mtimeText(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = `${ns % 1_000_000_000n}`.padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Docker: FollowSymlinkInScope. What does not exist stays as it is written. */
function followLink(root: number, path: string): string {
  let rest = path.split('/');
  let at: readonly string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...further] = rest;
    rest = further;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = at.slice(0, -1);
      continue;
    }
    const target = linkAt(root, at, name);
    if (target === undefined) {
      at = [...at, name];
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) break;
    if (target.startsWith('/')) at = [];
    rest = [...target.split('/'), ...rest];
  }
  return `/${at.join('/')}`;
}

function linkAt(root: number, directory: readonly string[], name: string): string | undefined {
  let parent: number;
  try {
    parent = openAt({ dir: root, path: `/${directory.join('/')}`, resolution: 'in-root', flags: O_PATH });
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
  try {
    const path = `/proc/self/fd/${parent}/${name}`;
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    closeSync(parent);
  }
}
