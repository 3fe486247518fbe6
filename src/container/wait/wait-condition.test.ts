import { expect, test } from 'vitest';
import { judge, type Seen, type WaitCondition } from './wait-condition.ts';

const seen = (over: Partial<Seen> = {}): Seen => ({
  state: 'running',
  health: 'starting',
  pid: 7,
  exit: undefined,
  hasExited: false,
  ...over,
});
const exited = (code = 3): Partial<Seen> => ({
  state: 'exited',
  health: undefined,
  pid: undefined,
  exit: { code, atMs: 1 },
});
const removed: Partial<Seen> = { state: 'removed', health: undefined, pid: undefined };
const created: Partial<Seen> = { state: 'created', health: undefined, pid: undefined };

test.each<[WaitCondition[], Partial<Seen>, string]>([
  [['not-running'], {}, 'pending'],
  [['not-running'], { state: 'paused' }, 'pending'],
  [['not-running'], created, 'not-running'],
  [['not-running'], exited(), 'not-running'],
  [['not-running'], removed, 'not-running'],
  [['next-exit'], {}, 'pending'],
  [['next-exit'], created, 'pending'],
  [['next-exit'], exited(), 'pending'],
  [['next-exit'], { ...exited(), hasExited: true }, 'next-exit'],
  [['next-exit'], { hasExited: true }, 'next-exit'],
  [['next-exit'], removed, 'next-exit'],
  [['removed'], exited(), 'pending'],
  [['removed'], removed, 'removed'],
  [['healthy'], {}, 'pending'],
  [['healthy'], { health: 'unhealthy' }, 'pending'],
  [['healthy'], { health: 'healthy' }, 'healthy'],
  [['healthy'], { state: 'paused', health: 'healthy' }, 'healthy'],
  [['healthy'], created, 'pending'],
  [['healthy'], exited(3), 'exited (3) before it was healthy'],
  [['healthy'], removed, 'was removed before it was healthy'],
  [['unhealthy'], { health: 'unhealthy' }, 'unhealthy'],
  // Lists show an ended container as unhealthy; a wait does not count that.
  [['unhealthy'], { ...exited(0), health: 'unhealthy' }, 'exited (0) before it was unhealthy'],
  [['healthy', 'unhealthy'], { health: 'unhealthy' }, 'unhealthy'],
  [['healthy', 'exited'], exited(), 'exited'],
  [['healthy', 'removed'], exited(), 'pending'],
  [['running'], {}, 'running'],
  [['running'], created, 'pending'],
  [['running'], exited(), 'pending'],
  [['running'], removed, 'was removed before it was running'],
  [['paused'], {}, 'pending'],
  [['paused'], { state: 'paused' }, 'paused'],
  [['exited'], {}, 'pending'],
  [['exited'], created, 'pending'],
  [['exited'], exited(), 'exited'],
  [['stopped'], exited(), 'stopped'],
  [['stopped'], removed, 'stopped'],
  [['created'], created, 'created'],
  [['created'], {}, 'was started already'],
])('wait for %j, with %j: %s', (conditions, over, expected) => {
  const verdict = judge(conditions, seen(over));
  const text =
    verdict.kind === 'reached' ? verdict.condition : verdict.kind === 'impossible' ? verdict.reason : 'pending';
  expect(text).toBe(expected);
});
