import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createHistorySize } from '../../src/daemon/metrics/history-size.ts';

const dir = mkdtempSync(join(tmpdir(), 'healthctl-history-size-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the size of all files of the history, at most a minute old', () => {
  let nowMs = 0;
  const size = createHistorySize(dir, { monotonic: () => nowMs });
  expect(size()).toBe(0);
  writeFileSync(join(dir, 'raw-1000'), 'x'.repeat(100));
  writeFileSync(join(dir, 'hours-2000'), 'x'.repeat(20));
  writeFileSync(join(dir, 'other'), 'x');
  expect(size()).toBe(0);
  nowMs = 60_000;
  expect(size()).toBe(120);
});

test('nothing without a history, or for one that cannot be read', () => {
  const clock = { monotonic: () => 0 };
  expect(createHistorySize(join(dir, 'absent'), clock)()).toBe(0);
  expect(createHistorySize(join(dir, 'other'), clock)()).toBeUndefined();
});
