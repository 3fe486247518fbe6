import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hostIdOf } from '../lib/dirs.ts';
import { errnoOf } from '../lib/errors.ts';
import { HOUR_MS } from './cell.ts';

/*
 * The files of the history. The number in a name is the wall time, in milliseconds, at which its content begins.
 *
 *   journal-…  the samples of a window, as they come: the present one, unless raw-… of the same window is there too;
 *              .1, .2 … where the first could not be continued
 *   raw-…      the samples of a past window, by container
 *   minutes-…  their sums for each minute, by container
 *   hours-…    their sums for each hour of a past day (UTC), by container
 *   changes-…  changes of phases, and actions, of a day, as lines of JSON
 */

export const DAY_MS = 24 * HOUR_MS;
const KINDS = ['journal', 'raw', 'minutes', 'hours', 'changes'] as const;
export type FileKind = (typeof KINDS)[number];

export interface HistoryFile {
  readonly kind: FileKind;
  readonly fromMs: number;
  readonly path: string;
}

/** The history of one containerd. `<data root>/<hash of the address>/history` */
export const historyDirOf = ({ dataRoot, address }: { readonly dataRoot: string; readonly address: string }): string =>
  join(dataRoot, hostIdOf(address), 'history');

export const dayOf = (atMs: number): number => Math.floor(atMs / DAY_MS) * DAY_MS;

export const historyPath = (dir: string, kind: FileKind, fromMs: number): string => join(dir, `${kind}-${fromMs}`);

/** All files of the history, the oldest first; none without the directory. Throws other system errors. */
export function historyFiles(dir: string): readonly HistoryFile[] {
  return namesIn(dir)
    .flatMap((name) => {
      const [, word, number] = /^([a-z]+)-(\d{1,16})(?:\.\d{1,9})?$/.exec(name) ?? [];
      const kind = KINDS.find((known) => known === word);
      return kind ? [{ kind, fromMs: Number(number), path: join(dir, name) }] : [];
    })
    .sort((a, b) => a.fromMs - b.fromMs || (a.path < b.path ? -1 : 1));
}

/** Damaged files of the history, under the names that `setAside` gave them. Throws like `historyFiles`. */
export const filesSetAside = (dir: string): readonly Pick<HistoryFile, 'fromMs' | 'path'>[] =>
  namesIn(dir).flatMap((name) => {
    const [, number] = /^[a-z]+-(\d{1,16})(?:\.\d{1,9})?\.not-ours-[0-9a-f]{8}$/.exec(name) ?? [];
    return number === undefined ? [] : [{ fromMs: Number(number), path: join(dir, name) }];
  });

/** Size of a file of the history in bytes; 0 for one that has just been removed. */
export const sizeOf = ({ path }: HistoryFile): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The journals whose window has no segment of this kind yet. */
export function unmergedJournals(files: readonly HistoryFile[], into: 'raw' | 'minutes'): readonly HistoryFile[] {
  const merged = new Set(files.filter(({ kind }) => kind === into).map(({ fromMs }) => fromMs));
  return files.filter(({ kind, fromMs }) => kind === 'journal' && !merged.has(fromMs));
}
