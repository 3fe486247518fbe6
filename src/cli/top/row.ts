import type { ListedContainer } from '../../container/list.ts';
import { isChecked } from '../../health/config.ts';
import { keyOf } from '../../lib/container-key.ts';
import { briefOf } from '../../record/details.ts';
import { isStoppedByUser, restartPolicyOf } from '../../record/restart-label.ts';
import { type ContainerView, isUp } from '../../record/view.ts';
import type { Beat, TopRow, Word } from './model.ts';

/** Pure, but for `sinceMs`, which is what the container itself says of it: see `Sinces`. */
export function rowOf(
  listed: ListedContainer,
  { namespace, nextCheckMs }: { readonly namespace: string; readonly nextCheckMs: number | undefined },
): TopRow {
  const { view, health } = listed;
  const { record, state, exit, task, nextRestartAtMs } = view;
  const { id } = record;
  const word = wordOf(listed);
  const last = health.log.at(-1);
  const endMs = Date.parse(last?.end ?? '');
  return {
    ...{ key: keyOf({ namespace, id }), namespace, id, name: view.name, image: briefOf(record).image, state, word },
    exitCode: exit?.code,
    sinceMs: ownSinceOf(view, word),
    streak: state === 'running' ? (health.state?.failingStreak ?? 0) : 0,
    hasCheck: isChecked(health.config),
    nextCheckMs,
    nextRestartMs: nextRestartAtMs,
    last: last && { endMs, durationMs: Math.max(0, endMs - Date.parse(last.start)), exitCode: last.exitCode },
    pid: task && isUp(task) && task.pid > 0 ? task.pid : undefined,
  };
}

function wordOf({ view, health }: ListedContainer): Word {
  const { state, exit, isStateUnknown = false, record } = view;
  if (isStateUnknown) return 'unknown';
  switch (state) {
    case 'created':
    case 'paused':
    case 'restarting':
      return state;
    case 'running':
      return isChecked(health.config) ? (health.state?.status ?? 'starting') : 'unchecked';
    case 'exited': {
      const hasFinished = exit?.code === 0 && restartPolicyOf(record.labels).name === 'no';
      return hasFinished || isStoppedByUser(record.labels) ? 'stopped' : 'ended';
    }
  }
}

/** Since when the word holds, as far as the container's own record and task say so. */
function ownSinceOf({ record, exit, startedAtMs }: ContainerView, word: Word): number | undefined {
  switch (word) {
    case 'created':
      return record.createdAtMs;
    case 'ended':
    case 'stopped':
    case 'restarting':
      return exit?.atMs;
    case 'starting':
    case 'unchecked':
      return startedAtMs;
    case 'healthy':
    case 'unhealthy':
    case 'paused':
    case 'unknown':
      return undefined;
  }
}

/** Since when words hold: from the history, the containers themselves, and the changes that were seen. */
export class Sinces {
  readonly #known = new Map<string, { readonly word: Word; readonly sinceMs: number | undefined }>();

  /** What the history says. A word that has changed since then is not believed. */
  seed(key: string, word: Word, sinceMs: number): void {
    this.#known.set(key, { word, sinceMs });
  }

  /** The rows with what is known. @param nowMs for changes whose time nobody says */
  filled(rows: readonly TopRow[], nowMs: number): readonly TopRow[] {
    const gone = new Set(this.#known.keys());
    const found = rows.map((row) => {
      gone.delete(row.key);
      const known = this.#known.get(row.key);
      if (known?.word === row.word) return { ...row, sinceMs: known.sinceMs ?? row.sinceMs };
      const changedMs = known === undefined ? undefined : changeOf(row, nowMs);
      const sinceMs = row.sinceMs ?? changedMs;
      this.#known.set(row.key, { word: row.word, sinceMs });
      return { ...row, sinceMs };
    });
    for (const key of gone) this.#known.delete(key);
    return found;
  }
}

/** A check makes a container healthy or unhealthy. */
const changeOf = ({ word, last }: TopRow, nowMs: number): number =>
  (word === 'healthy' || word === 'unhealthy') && last ? Math.min(last.endMs, nowMs) : nowMs;

/** More than the widest bar. */
const MAX_BEATS = 64;

/** The last results of each container, oldest first, each once. */
export class Beats {
  readonly #beats = new Map<string, readonly Beat[]>();

  add(key: string, beat: Beat): void {
    const known = this.#beats.get(key) ?? [];
    const last = known.at(-1);
    if (last === undefined || last.atMs < beat.atMs) {
      this.#beats.set(key, [...known.slice(1 - MAX_BEATS), beat]);
      return;
    }
    if (known.some(({ atMs }) => atMs === beat.atMs)) return;
    this.#beats.set(key, [...known, beat].sort((a, b) => a.atMs - b.atMs).slice(-MAX_BEATS));
  }

  /** Forgets the containers that are gone. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#beats.keys()) if (!keys.has(key)) this.#beats.delete(key);
  }

  get all(): ReadonlyMap<string, readonly Beat[]> {
    return this.#beats;
  }
}

/** The last result of a row; undefined before the first one. */
export function beatOf({ last, word }: TopRow): Beat | undefined {
  if (!last) return undefined;
  const isGood = last.exitCode === 0;
  return { atMs: last.endMs - last.durationMs, isGood, isGrace: !isGood && word === 'starting' };
}
