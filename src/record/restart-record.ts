import { join } from 'node:path';
import { rfc3339FromMillis } from '../health/result.ts';
import { dataDirOf } from '../lib/dirs.ts';
import { replaceFile } from '../system/atomic-write.ts';
import { makeOwnDirectory, readOwnJson, removeOwn } from '../system/own-file.ts';
import type { NotePlace } from './exit-note.ts';

/** How often a container was started again without a user: in the data root, where a reboot keeps it. */
export interface RestartRecord {
  /** Since a user started it. */
  readonly count: number;
  /** Since it was last well for long: it decides the next delay. */
  readonly streak: number;
  readonly atMs: number;
  readonly reason: string;
  /** It was stopped to be started again, and was not started yet. */
  readonly isPending: boolean;
}

export const NEVER_RESTARTED: RestartRecord = { count: 0, streak: 0, atMs: 0, reason: '', isPending: false };

const FILE = 'restarts.json';

/** NEVER_RESTARTED where there is none, or one that is damaged. */
export function readRestarts({ dirs, namespace }: NotePlace, id: string): RestartRecord {
  return readOwnJson(join(dataDirOf(dirs, { namespace, id }), FILE), restartsFrom, dirs) ?? NEVER_RESTARTED;
}

function restartsFrom(value: unknown): RestartRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { Count, Streak, At, Reason, Pending } = value as Readonly<Record<string, unknown>>;
  const atMs = typeof At === 'string' ? Date.parse(At) : Number.NaN;
  if (!isCount(Count) || !isCount(Streak) || Number.isNaN(atMs)) return undefined;
  const reason = typeof Reason === 'string' ? Reason : '';
  return { count: Count, streak: Streak, atMs, reason, isPending: Pending === true };
}

/** Throws EXHAUSTED without space, system errors otherwise. */
export function writeRestarts({ dirs, namespace }: NotePlace, id: string, record: RestartRecord): void {
  const dir = dataDirOf(dirs, { namespace, id });
  makeOwnDirectory(dir, dirs);
  const { count, streak, atMs, reason, isPending } = record;
  const json = { Count: count, Streak: streak, At: rfc3339FromMillis(atMs), Reason: reason, Pending: isPending };
  replaceFile(join(dir, FILE), `${JSON.stringify(json)}\n`);
}

/** A user started it: everything begins anew. */
export function forgetRestarts({ dirs, namespace }: NotePlace, id: string): void {
  removeOwn(join(dataDirOf(dirs, { namespace, id }), FILE));
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
