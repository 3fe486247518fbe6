import { expect, test } from 'vitest';
import { containerStatus, type StatusFacts } from './status-text.ts';

const nowMs = 1_700_000_000_000;

test.each<[Omit<StatusFacts, 'nowMs'>, string]>([
  [{ state: 'created' }, 'Created'],
  [{ state: 'running', startedAtMs: nowMs - 5_000 }, 'Up 5 seconds'],
  [{ state: 'running', startedAtMs: nowMs - 5_000, health: 'none' }, 'Up 5 seconds'],
  [{ state: 'running', startedAtMs: nowMs - 5_000, health: 'starting' }, 'Up 5 seconds (health: starting)'],
  [{ state: 'running', startedAtMs: nowMs - 120_000, health: 'healthy' }, 'Up 2 minutes (healthy)'],
  [{ state: 'running', startedAtMs: nowMs - 120_000, health: 'unhealthy' }, 'Up 2 minutes (unhealthy)'],
  [{ state: 'running', startedAtMs: nowMs + 500 }, 'Up Less than a second'],
  [{ state: 'paused', startedAtMs: nowMs - 180_000, health: 'healthy' }, 'Up 3 minutes (Paused)'],
  [{ state: 'exited', exitCode: 0, finishedAtMs: nowMs - 3_000, health: 'unhealthy' }, 'Exited (0) 3 seconds ago'],
  [{ state: 'exited', exitCode: 137, finishedAtMs: nowMs - 60_000 }, 'Exited (137) About a minute ago'],
  [{ state: 'exited', exitCode: 1 }, ''],
  [{ state: 'restarting', exitCode: 1, finishedAtMs: nowMs - 2_000 }, 'Restarting (1) 2 seconds ago'],
  [{ state: 'removing' }, 'Removal In Progress'],
  [{ state: 'dead' }, 'Dead'],
])('%j is shown as %s', (facts, text) => {
  expect(containerStatus({ ...facts, nowMs })).toBe(text);
});
