import { expect, test } from 'vitest';
import { createBudgets, maxInFlightOf } from './budgets.ts';

const never = new AbortController().signal;
const command = { test: ['CMD-SHELL', 'true'] };

test('hanging checks of one mechanism do not delay checks of another', async () => {
  const budgets = createBudgets({ maxStarts: 1, maxInFlight: 1, exec: 'fresh' });
  const release = await budgets.inFlightOf(command).acquire(never);
  void budgets.inFlightOf({ ...command, exec: 'fresh' }).acquire(never);
  expect([budgets.inFlight, budgets.waiting]).toEqual([1, 1]);
  for (const other of [{ test: ['TCP', 'localhost:80'] }, { ...command, exec: 'resident' as const }])
    expect(await budgets.inFlightOf(other).acquire(never)).toBeDefined();
  expect([budgets.inFlight, budgets.waiting]).toEqual([3, 1]);
  release?.();
  expect([budgets.inFlight, budgets.waiting]).toEqual([3, 0]);
});

test('a check without a mode uses the configured one', () => {
  const budgets = createBudgets({ maxStarts: 1, maxInFlight: 1, exec: 'resident' });
  expect(budgets.inFlightOf(command)).toBe(budgets.inFlightOf({ ...command, exec: 'resident' }));
});

test('a check that waits for its start counts as waiting, not as in flight', async () => {
  const budgets = createBudgets({ maxStarts: 1, maxInFlight: 9, exec: 'fresh' });
  await budgets.starts.acquire(never);
  await budgets.inFlightOf(command).acquire(never);
  void budgets.starts.acquire(never);
  expect([budgets.inFlight, budgets.waiting]).toEqual([0, 1]);
});

test.each([
  [44, 1],
  [1_024, 53],
  [524_288, 4_096],
  [Number.POSITIVE_INFINITY, 4_096],
])('a limit of %d open files allows %d checks in flight for each mechanism', (limit, expected) => {
  expect(maxInFlightOf(limit)).toBe(expected);
});
