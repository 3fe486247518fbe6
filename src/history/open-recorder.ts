import { openHistoryReader } from './reader.ts';
import { createHistoryRecorder, type HistoryRecorder } from './recorder.ts';
import { openHistoryStore, type StoreDeps } from './store.ts';

/** Records the history of one containerd in its files. */
export function openHistoryRecorder(deps: StoreDeps): HistoryRecorder {
  const { dir, clock, log } = deps;
  return createHistoryRecorder({
    ...{ clock, log },
    openStore: () => openHistoryStore(deps),
    recentChanges: () => openHistoryReader(dir, { onFault: (text) => log.warn(text) }).recentChanges(clock.now()),
  });
}
