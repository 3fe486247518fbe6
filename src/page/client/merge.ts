import { letterOf, shownLetter } from '../bar-letters.ts';
import {
  type ContainerRow,
  type OverviewAnswer,
  type PresentState,
  RANGES,
  type ShownStatus,
  type UpdateMessage,
} from '../wire.ts';

/** A status that changed, to tell the reader. */
export interface StatusChange {
  readonly key: string;
  readonly name: string;
  readonly status: ShownStatus;
}

export interface Merged {
  readonly overview: OverviewAnswer;
  readonly changes: readonly StatusChange[];
  /** The message has something that only the server can complete: a new container, or a new bar. */
  readonly isStale: boolean;
}

/** Applies what has changed to what is shown. */
export function merged(overview: OverviewAnswer, { atMs, containers, gone }: UpdateMessage): Merged {
  const updates = new Map(containers.map((one) => [one.key, one]));
  const removed = new Set(gone);
  const changes: StatusChange[] = [];
  const { barMs } = RANGES[overview.range];
  const rows = overview.containers.map((row) => {
    const update = updates.get(row.key);
    updates.delete(row.key);
    const isGone = removed.has(row.key) && row.status !== 'gone';
    const status = isGone ? 'gone' : (update?.status ?? row.status);
    if (status !== row.status) changes.push({ key: row.key, name: row.name, status });
    if (isGone) return { ...row, status, sinceMs: atMs };
    return update ? withUpdate(row, update, atMs) : row;
  });
  const lastBarEndMs = overview.fromMs + (overview.containers[0]?.bar.length ?? 0) * barMs;
  return {
    overview: { ...overview, nowMs: atMs, containers: rows },
    changes,
    isStale: updates.size > 0 || atMs >= lastBarEndMs || changes.length > 0,
  };
}

function withUpdate(row: ContainerRow, update: UpdateMessage['containers'][number], atMs: number): ContainerRow {
  const { succeeded, failed, ...present } = update;
  const last = row.bar.length - 1;
  const plus = (counts: readonly number[], more: number): readonly number[] =>
    more === 0 ? counts : counts.map((count, index) => (index === last ? count + more : count));
  return {
    ...row,
    ...present,
    sinceMs: present.status === row.status ? row.sinceMs : atMs,
    succeeded: plus(row.succeeded, succeeded),
    failed: plus(row.failed, failed),
    bar: row.bar.slice(0, last) + lastLetter(row.bar.at(last) ?? '.', present, failed),
  };
}

/** The last bar with what was in it before and what came. */
const lastLetter = (before: string, { status }: Pick<PresentState, 'status'>, failed: number): string =>
  shownLetter(new Set([before, letterOf(status), ...(failed > 0 ? ['f'] : [])]));
