import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rfc3339FromMillis } from '../health/result.ts';
import { errnoOf } from '../lib/errors.ts';
import { replaceFile } from '../store/atomic-write.ts';
import { dataDirOf } from './context.ts';
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
  try {
    const value: unknown = JSON.parse(readFileSync(join(dataDirOf(dirs, { namespace, id }), FILE), 'utf8'));
    if (typeof value !== 'object' || value === null) return NEVER_RESTARTED;
    const { Count, Streak, At, Reason, Pending } = value as Readonly<Record<string, unknown>>;
    const atMs = typeof At === 'string' ? Date.parse(At) : Number.NaN;
    if (!isCount(Count) || !isCount(Streak) || Number.isNaN(atMs)) return NEVER_RESTARTED;
    const reason = typeof Reason === 'string' ? Reason : '';
    return { count: Count, streak: Streak, atMs, reason, isPending: Pending === true };
  } catch (error) {
    if (errnoOf(error) !== undefined || error instanceof SyntaxError) return NEVER_RESTARTED;
    throw error;
  }
}

/** Throws EXHAUSTED without space, system errors otherwise. */
export function writeRestarts({ dirs, namespace }: NotePlace, id: string, record: RestartRecord): void {
  const dir = dataDirOf(dirs, { namespace, id });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { count, streak, atMs, reason, isPending } = record;
  const json = { Count: count, Streak: streak, At: rfc3339FromMillis(atMs), Reason: reason, Pending: isPending };
  replaceFile(join(dir, FILE), `${JSON.stringify(json)}\n`);
}

/** A user started it: everything begins anew. */
export function forgetRestarts({ dirs, namespace }: NotePlace, id: string): void {
  rmSync(join(dataDirOf(dirs, { namespace, id }), FILE), { force: true });
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
