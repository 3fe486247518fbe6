import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createHistoryRecorder } from '../../src/history/recorder.ts';
import { openHistoryStore } from '../../src/history/store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createHistoryThread } from '../../src/page/history-thread.ts';
import { createFakeClock } from '../fakes/clock.ts';

// The thread that reads the history for the page, as built, on real files.

const root = mkdtempSync(join(tmpdir(), 'healthctl-thread-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const script = fileURLToPath(new URL('../../dist/page-history.cjs', import.meta.url));
const key = 'default/c1';

const logQuery = () => ({ kind: 'log', key, beforeMs: Date.now() + 1, isFailedOnly: false }) as const;

test('an answer has what the monitor recorded just before', async () => {
  const dir = join(root, 'flushed');
  const recorder = createHistoryRecorder({
    ...{ clock: systemClock, log: silentLogger, recentChanges: () => [] },
    openStore: () =>
      openHistoryStore({
        ...{ dir, limits: { maxAgeMs: 86_400_000, maxBytes: 1 << 20 }, clock: systemClock, log: silentLogger },
      }),
  });
  await recorder.start();
  const thread = createHistoryThread({ script, dir, flush: recorder.flush, clock: systemClock, log: silentLogger });
  const sample = { durationMs: 3, lagMs: 1, status: 'healthy', exitCode: 0 } as const;
  for (const output of ['first', 'second']) {
    recorder.sample(key, { ...sample, atMs: Date.now(), output });
    const { lines } = await thread.ask(logQuery());
    expect(lines[0]?.text).toBe(output);
    await systemClock.sleep(2); // another millisecond
  }
  await thread.stop();
  await recorder.stop();
});

test('once stopped, it has no thread and no timer, and begins none', async () => {
  const clock = createFakeClock();
  const flush = async () => {};
  const thread = createHistoryThread({ script, dir: join(root, 'none'), flush, clock, log: silentLogger });
  const asked = thread.ask(logQuery()).catch(String);
  await turn();
  expect(clock.sleepers).toBe(1);
  const late = thread.ask(logQuery()).catch(String);
  await thread.stop();
  const after = thread.ask(logQuery()).catch(String);
  const why = 'HealthctlError: the history cannot be read now: the monitor ends';
  expect(await Promise.all([asked, late, after])).toEqual([why, why, why]);
  expect(clock.sleepers).toBe(0);
});
