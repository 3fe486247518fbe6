import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { createAgenda } from './agenda.ts';

test('does due work in the order of due times, then of creation', async () => {
  const clock = createFakeClock();
  const agenda = createAgenda(clock);
  const done: string[] = [];
  for (const [name, dueMs] of [
    ['c', 30],
    ['a', 10],
    ['b1', 20],
    ['b2', 20],
  ] as const)
    agenda.at(dueMs, () => done.push(`${name}@${clock.monotonic()}`));
  await clock.advance(100);
  expect(done).toEqual(['a@10', 'b1@20', 'b2@20', 'c@30']);
  expect(clock.sleepers).toBe(0);
});

test('uses one sleeper for any number of appointments', async () => {
  const clock = createFakeClock();
  const agenda = createAgenda(clock);
  for (let i = 1000; i > 0; i -= 1) agenda.at(i, () => {});
  await clock.advance(0);
  expect(clock.sleepers).toBe(1);
  agenda.stop();
  await clock.advance(0);
  expect(clock.sleepers).toBe(0);
  expect(agenda.size).toBe(0);
});

test('does not sleep again for work due within a millisecond, but does for later work', async () => {
  const clock = createFakeClock();
  const agenda = createAgenda(clock);
  const done: string[] = [];
  for (const dueMs of [10, 10.9, 11.5]) agenda.at(dueMs, () => done.push(`${dueMs}@${clock.monotonic()}`));
  await clock.advance(100);
  expect(done).toEqual(['10@10', '10.9@10', '11.5@12']);
});

test('does late work at once, and never does cancelled work', async () => {
  const clock = createFakeClock();
  const agenda = createAgenda(clock);
  await clock.advance(50);
  const done: number[] = [];
  agenda.at(10, () => done.push(clock.monotonic()));
  const cancelled = agenda.at(20, () => done.push(-1));
  cancelled.cancel();
  cancelled.cancel();
  expect(agenda.size).toBe(1);
  await clock.advance(1);
  expect(done).toEqual([50]);
});

test('work may create and cancel appointments', async () => {
  const clock = createFakeClock();
  const agenda = createAgenda(clock);
  const done: number[] = [];
  const other = agenda.at(10, () => done.push(-1));
  agenda.at(9, () => other.cancel());
  const again = (): void => {
    done.push(clock.monotonic());
    if (done.length < 3) agenda.at(clock.monotonic() + 5, again);
  };
  agenda.at(5, again);
  await clock.advance(100);
  expect(done).toEqual([5, 10, 15]);
});

test('an appointment made just after the last one was cancelled is kept', async () => {
  const clock = createFakeClock();
  const agenda = createAgenda(clock);
  const done: number[] = [];
  agenda.at(10, () => done.push(10)).cancel();
  agenda.at(20, () => done.push(20));
  await clock.advance(30);
  expect(done).toEqual([20]);
});

test('behaves like a sorted list for every sequence of creations and cancellations', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('at' as const), dueMs: fc.integer({ min: 0, max: 200 }) }),
    fc.record({ do: fc.constant('cancel' as const), index: fc.nat(50) }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 60 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = createFakeClock();
      const agenda = createAgenda(clock);
      const made: { dueMs: number; open: boolean; cancel: () => void }[] = [];
      const done: number[] = [];
      for (const one of steps) {
        if (one.do === 'advance') await clock.advance(one.ms);
        else if (one.do === 'cancel') {
          const target = made[one.index];
          target?.cancel();
          if (target) target.open = false;
        } else {
          const entry = { dueMs: one.dueMs, open: true, cancel: () => {} };
          const index = made.push(entry) - 1;
          entry.cancel = agenda.at(one.dueMs, () => {
            expect(clock.monotonic()).toBeGreaterThanOrEqual(entry.dueMs);
            entry.open = false;
            done.push(index);
          }).cancel;
        }
        const open = made.filter((entry) => entry.open);
        expect(agenda.size).toBe(open.length);
      }
      await clock.advance(500);
      expect(made.filter((entry) => entry.open)).toEqual([]);
      expect(new Set(done).size).toBe(done.length);
    }),
    { numRuns: 100 },
  );
});

test('does not keep thousands of cancelled appointments', async () => {
  const clock = createFakeClock();
  const agenda = createAgenda(clock);
  let last = 0;
  agenda.at(1e9, () => {
    last += 1;
  });
  for (let i = 0; i < 5_000; i += 1) agenda.at(1e6 + i, () => {}).cancel();
  expect(agenda.size).toBe(1);
  await clock.advance(1e9);
  expect(last).toBe(1);
});
