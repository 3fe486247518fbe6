import { join } from 'node:path';
import { rfc3339FromMillis } from '../health/result.ts';
import type { NamespaceDirs } from '../lib/dirs.ts';
import { dataDirOf, runDirOf } from '../lib/dirs.ts';
import { errnoOf, hasCode } from '../lib/errors.ts';
import { objectIn } from '../lib/shape.ts';
import { noSpaceError, replaceFile } from '../system/atomic-write.ts';
import { makeOwnDirectory, readOwnJson, removeOwn } from '../system/own-file.ts';

/** How often a container was restarted without a user: in the data root, so that it survives a reboot. */
export interface RestartRecord {
  /** Since a user started it. */
  readonly count: number;
  /** Since it was last well for long: it determines the next delay. */
  readonly streak: number;
  readonly atMs: number;
  readonly reason: string;
  /** It was stopped for a restart, and not yet started. */
  readonly isPending: boolean;
}

export const NEVER_RESTARTED: RestartRecord = { count: 0, streak: 0, atMs: 0, reason: '', isPending: false };

const FILE = 'restarts.json';

/** Returns NEVER_RESTARTED if there is no record, or a damaged one. */
export function readRestarts({ dirs, namespace }: NamespaceDirs, id: string): RestartRecord {
  const [kept, spare] = dirsOf(dirs, { namespace, id }).map((dir) => readOwnJson(join(dir, FILE), restartsFrom, dirs));
  return spare ?? kept ?? NEVER_RESTARTED; // the spare file exists only while it is newer
}

/**
 * The data root, which survives a reboot; and the run root, for a full or read-only data root, which survives the
 * monitor.
 */
const dirsOf = (dirs: NamespaceDirs['dirs'], subject: { readonly namespace: string; readonly id: string }) =>
  [dataDirOf(dirs, subject), runDirOf(dirs, subject)] as const;

function restartsFrom(value: unknown): RestartRecord | undefined {
  const { Count, Streak, At, Reason, Pending } = objectIn(value);
  const atMs = typeof At === 'string' ? Date.parse(At) : Number.NaN;
  if (!isCount(Count) || !isCount(Streak) || Number.isNaN(atMs)) return undefined;
  const reason = typeof Reason === 'string' ? Reason : '';
  return { count: Count, streak: Streak, atMs, reason, isPending: Pending === true };
}

/** Throws EXHAUSTED if neither root has space, system errors otherwise. */
export function writeRestarts({ dirs, namespace }: NamespaceDirs, id: string, record: RestartRecord): void {
  const [kept, spare] = dirsOf(dirs, { namespace, id });
  const { count, streak, atMs, reason, isPending } = record;
  const json = { Count: count, Streak: streak, At: rfc3339FromMillis(atMs), Reason: reason, Pending: isPending };
  const writeIn = (dir: string): void => {
    makeOwnDirectory(dir, dirs);
    replaceFile(join(dir, FILE), `${JSON.stringify(json)}\n`);
  };
  try {
    writeIn(kept);
  } catch (error) {
    if (!hasCode(noSpaceError(error, kept), 'EXHAUSTED') && errnoOf(error) !== 'EROFS') throw error;
    writeIn(spare);
    return;
  }
  removeOwn(join(spare, FILE));
}

/** Call it when a user has started the container: counting starts over. */
export function forgetRestarts({ dirs, namespace }: NamespaceDirs, id: string): void {
  for (const dir of dirsOf(dirs, { namespace, id })) removeOwn(join(dir, FILE));
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
