import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import type { Outcome } from '../health/result.ts';
import { type Ended, firstOf } from './first-of.ts';

const TIMEOUT_MS = 1_000;
const good: Outcome = { kind: 'exited', code: 0, output: '' };

/**
 * A probe that ends `endsMs` after its start, by its own clock, and whose end is seen at `heardMs`, in a process that
 * was stopped until `wakesMs`.
 */
async function outcomeOf(probe: { endsMs?: number; heardMs: number; wakesMs?: number }): Promise<string> {
  const clock = createFakeClock();
  const startMs = clock.now();
  const { endsMs, heardMs, wakesMs = 0 } = probe;
  // A process that was stopped: due timers fire as soon as it continues.
  const standing = {
    ...clock,
    after: (ms: number, work: () => void) => clock.after(Math.max(ms, wakesMs - (clock.now() - startMs)), work),
  };
  const ended = clock
    .sleep(Math.max(heardMs, wakesMs === heardMs ? wakesMs + 1 : heardMs))
    .then((): Ended => ({ outcome: good, ...(endsMs === undefined ? {} : { atMs: startMs + endsMs }) }));
  const outcome = firstOf(ended, { clock: standing, timeoutNs: TIMEOUT_MS * 1e6, startMs, signal: undefined });
  await clock.advance(60_000);
  return (await outcome).kind;
}

test.each<[string, Parameters<typeof outcomeOf>[0], string]>([
  ['an end in time', { endsMs: 900, heardMs: 900 }, 'exited'],
  ['an end that is too late', { endsMs: 1_100, heardMs: 1_100 }, 'timed-out'],
  ['a timer that is a little late counts', { endsMs: 1_150, heardMs: 1_150, wakesMs: 1_100 }, 'timed-out'],
  ['a stopped process: the probe ended in time meanwhile', { endsMs: 900, heardMs: 5_000, wakesMs: 5_000 }, 'exited'],
  [
    'a stopped process: the probe ended too late meanwhile',
    { endsMs: 1_100, heardMs: 5_000, wakesMs: 5_000 },
    'timed-out',
  ],
  [
    'a stopped process: the probe ended in time, which is seen a while later',
    { endsMs: 900, heardMs: 5_500, wakesMs: 5_000 },
    'exited',
  ],
  ['a stopped process: the probe never ends', { heardMs: 50_000, wakesMs: 5_000 }, 'timed-out'],
  [
    'a stopped process: an end without a time that was there when it continued',
    { heardMs: 5_000, wakesMs: 5_000 },
    'exited',
  ],
  [
    'a stopped process: an end without a time that came after it continued',
    { heardMs: 5_500, wakesMs: 5_000 },
    'cancelled',
  ],
])('%s', async (_, probe, expected) => {
  expect(await outcomeOf(probe)).toBe(expected);
});
