// Writes batches of the history as fast as it can, and prints the number of each written one, until it is killed.
// Arguments: the directory, and the number of the first batch.
import { openHistoryStore } from '../src/history/store.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';

const [dir = '', first = '0'] = process.argv.slice(2);
// A window of ten minutes ends every 20 batches, so that most kills come near such an end.
const BATCH_MS = 30_000;
const T0 = Date.UTC(2026, 2, 1);
let nowMs = T0 + Number(first) * BATCH_MS;

const store = await openHistoryStore({
  ...{ dir, limits: { maxAgeMs: 1e12, maxBytes: 1 << 30 }, log: silentLogger },
  clock: { ...systemClock, now: () => nowMs, sleep: async () => {} },
});
for (let batch = Number(first); ; batch += 1) {
  nowMs = T0 + batch * BATCH_MS;
  await store.appendSamples(
    nowMs,
    ['default/a', 'default/b'].map((key) => [
      key,
      { atMs: nowMs, durationMs: batch, lagMs: 0, status: 'healthy', exitCode: 0, output: '' },
    ]),
  );
  await store.appendChanges(nowMs, [
    { kind: 'action', atMs: nowMs, key: 'default/a', action: 'restart', reason: `${batch}` },
  ]);
  process.stdout.write(`${batch}\n`);
}
