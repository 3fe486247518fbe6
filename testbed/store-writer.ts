// Increases the streak of one container N times, as checks by another process would. Arguments: the directories as
// JSON, and N.
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { createFileHealthStore } from '../src/store/file-health-store.ts';
import { aResult, aState } from '../test/builders/health.ts';

const [dirs, times] = process.argv.slice(2);
const store = createFileHealthStore({
  dirs: JSON.parse(dirs ?? ''),
  clock: systemClock,
  log: silentLogger,
  writeMirror: async () => {},
  exists: async () => true,
});
const subject = { namespace: 'ns', id: 'c1', labels: {} };

for (let i = 0; i < Number(times); i += 1) {
  await store.withCheckLock(subject, async ({ scratchDir }) => {
    const inside = join(scratchDir, 'inside');
    closeSync(openSync(inside, 'wx')); // fails if another check is in progress
    await store.update(
      subject,
      ({ state }) => ({ result: aResult(), state: aState({ failingStreak: (state?.failingStreak ?? 0) + 1 }) }),
      { retries: 3 },
    );
    rmSync(inside);
  });
}
