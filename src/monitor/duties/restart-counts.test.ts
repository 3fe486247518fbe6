import { expect, test } from 'vitest';
import { NEVER_RESTARTED } from '../../record/restart-record.ts';
import { createRestartCounts } from './restart-counts.ts';

test('keeps counts that cannot be written, warns once, and writes them when it is possible', () => {
  const ref = { namespace: 'default', id: 'c1' };
  let stored = NEVER_RESTARTED;
  let isDiskFull = true;
  const warned: unknown[] = [];
  const store = {
    readRestarts: () => stored,
    writeRestarts: (_: unknown, record: typeof stored) => {
      if (isDiskFull) throw new Error('no space left');
      stored = record;
    },
  };
  const counts = createRestartCounts(store, (_, error) => warned.push(error));
  counts.change(ref, { count: 1 });
  counts.change(ref, { streak: 2 });
  expect([counts.read(ref), stored, warned.length]).toEqual([
    { ...NEVER_RESTARTED, count: 1, streak: 2 },
    NEVER_RESTARTED,
    1,
  ]);
  isDiskFull = false;
  counts.change(ref, { count: 2 });
  expect(stored).toEqual({ ...NEVER_RESTARTED, count: 2, streak: 2 });
});
