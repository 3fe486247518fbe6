import { pastContainers } from '../../history/containers.ts';
import { DAY_MS, historyDirOf } from '../../history/files.ts';
import type { Phase } from '../../history/model.ts';
import { type HistoryReader, openHistoryReader } from '../../history/reader.ts';
import { spansOf } from '../../history/timeline.ts';
import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { World } from '../../world.ts';
import type { Word } from './model.ts';
import type { Beats, Sinces } from './row.ts';
import type { PastResult } from './state.ts';

/** What the monitor's history adds to what is there now. Without a history, and without permission, nothing. */
export interface TopPast {
  /** Fills in since when words hold. */
  seedSinces(sinces: Sinces): void;
  /** Adds the results of the last `ms`. */
  addBeats(beats: Beats, ms: number): void;
  /** The last results of a container, the newest first. */
  results(key: string): readonly PastResult[];
}

/** Of the page of a container. */
const RESULTS_MS = 60 * 60_000;
const MAX_RESULTS = 200;

export function openTopPast({ settings, clock, log }: Pick<World, 'settings' | 'clock' | 'log'>): TopPast {
  const reader = openHistoryReader(historyDirOf(settings), { onFault: (text) => log.warn(text) });
  const lastOf = (ms: number) => ({ fromMs: clock.now() - ms, toMs: clock.now() });
  return {
    seedSinces: (sinces) => tryRead(log, () => seedSinces(reader, sinces, clock.now())),
    addBeats: (beats, ms) =>
      tryRead(log, () =>
        reader.eachSample(lastOf(ms), (key, { atMs, exitCode, status }) =>
          beats.add(key, { atMs, isGood: exitCode === 0, isGrace: exitCode !== 0 && status === 'starting' }),
        ),
      ),
    results: (key) => {
      const found: PastResult[] = [];
      tryRead(log, () => found.push(...reader.samples(key, lastOf(RESULTS_MS)).slice(-MAX_RESULTS).reverse()));
      return found;
    },
  };
}

/** The phases that are words too. */
const WORD_OF: Readonly<Record<Phase, Word | undefined>> = {
  ...{ starting: 'starting', healthy: 'healthy', unhealthy: 'unhealthy', paused: 'paused', ended: 'ended' },
  ...{ stopped: 'stopped', unchecked: undefined, gone: undefined },
};

function seedSinces(reader: HistoryReader, sinces: Sinces, nowMs: number): void {
  // Each day begins with the phases of all containers; just after midnight, they may not be written yet.
  for (const { key, changes } of pastContainers(reader.changes({ fromMs: nowMs - DAY_MS, toMs: nowMs }))) {
    const last = spansOf(changes, nowMs).at(-1);
    const word = last && WORD_OF[last.phase];
    if (last && word) sinces.seed(key, word, last.fromMs);
  }
}

/** A history that cannot be read is no reason not to show what is there now. */
function tryRead(log: World['log'], read: () => void): void {
  try {
    read();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    log.warn(`the history cannot be read: ${messageOf(error)}`);
  }
}
