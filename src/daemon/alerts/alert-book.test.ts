import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAlertBook, type Firing } from './alert-book.ts';
import type { AlertRules } from './alert-entry.ts';
import type { AlertEvent, AlertName } from './alert-event.ts';
import type { Verdict } from './retry.ts';

const RULES: AlertRules = {
  ...{ on: ['unhealthy', 'healthy', 'restart'], minIntervalMs: 60_000, retries: 2 },
  ...{ sendsFirstHealthy: false, isPersistent: false },
};
let count = 0;
const anEvent = (event: AlertName, id = 'c1'): AlertEvent => {
  count += 1;
  return { event, time: String(count), namespace: 'default', id, name: `web-${id}`, image: 'demo' };
};

/** An alert book, and a receiver that gives these answers. */
function setUp(rules: Partial<AlertRules> = {}, known: readonly Firing[] = []) {
  const book = createAlertBook({ ...RULES, ...rules }, known);
  const got: string[] = [];
  const now = { ms: 0, verdict: 'delivered' as Verdict, isReached: true };
  const run = (untilMs = now.ms): void => {
    for (;;) {
      const next = book.next(now.ms);
      if (next.kind === 'nothing' || (next.kind === 'wait' && next.untilMs > untilMs)) break;
      if (next.kind === 'wait') now.ms = next.untilMs;
      else {
        got.push(`${next.event.event} ${next.key}@${now.ms}${now.verdict === 'delivered' ? '' : ` ${now.verdict}`}`);
        book.begin(next.key, next.event);
        const { ms: nowMs, verdict, isReached } = now;
        book.end(next.key, next.event, { verdict, isReached, nowMs, share: 0, retryAfterMs: undefined });
      }
    }
    now.ms = untilMs;
    book.next(now.ms);
  };
  const see = (event: AlertName | 'starting', id = 'c1', delayMs = 0): boolean => {
    const given = event === 'starting' ? undefined : anEvent(event, id);
    const isTaken = book.notice(id, given, { nowMs: now.ms, fromMs: now.ms + delayMs });
    run();
    return isTaken;
  };
  return { book, got, now, run, see };
}

describe('damping', () => {
  test('sends the first change at once, and at the end of the interval the state, if it has changed', () => {
    const { see, run, got } = setUp();
    see('unhealthy');
    run(10_000);
    see('healthy');
    see('unhealthy');
    see('healthy');
    run(59_999);
    expect(got).toEqual(['unhealthy c1@0']);
    run(60_000);
    expect(got).toEqual(['unhealthy c1@0', 'healthy c1@60000']);
  });

  test('does not send a state that equals the last one sent', () => {
    const { see, run, got, book } = setUp();
    see('unhealthy');
    see('healthy');
    see('unhealthy');
    run(1e6);
    expect(got).toEqual(['unhealthy c1@0']);
    see('healthy');
    run(2e6);
    expect(got).toEqual(['unhealthy c1@0', 'healthy c1@1000000']);
    expect(book.keys()).toEqual([]);
  });

  test('each container has its own interval', () => {
    const { see, got } = setUp();
    for (const id of ['a', 'b']) see('unhealthy', id);
    expect(got).toEqual(['unhealthy a@0', 'unhealthy b@0']);
  });

  test('sends the state before a restart, and only the last of several restarts', () => {
    const { see, run, got } = setUp();
    for (const event of ['unhealthy', 'restart', 'restart', 'healthy'] as const) see(event);
    run(1e6);
    expect(got).toEqual(['unhealthy c1@0', 'healthy c1@60000', 'restart c1@120000']);
  });

  test('sends the number of changes that were not sent', () => {
    const { see, book, now } = setUp();
    for (const event of ['unhealthy', 'healthy', 'unhealthy', 'healthy'] as const) see(event);
    now.ms = 60_000;
    expect(book.next(now.ms)).toMatchObject({ kind: 'send', event: { event: 'healthy' }, entry: { damped: 1 } });
  });
});

describe('the events that are sent', () => {
  test('a start is not sent to people, but to programs', () => {
    const [people, programs] = [setUp(), setUp({ sendsFirstHealthy: true })];
    for (const { see, run } of [people, programs]) {
      see('healthy');
      run(100_000);
      see('gone');
      see('healthy');
      run(300_000);
    }
    expect(people.got).toEqual([]);
    expect(programs.got).toEqual(['healthy c1@0', 'healthy c1@100000']);
  });

  test('a container that ends while unhealthy is sent, one that ends healthy is not', () => {
    const { see, run, got, book } = setUp();
    see('unhealthy');
    see('gone');
    see('healthy', 'c2');
    see('gone', 'c2');
    run(1e6);
    expect(got).toEqual(['unhealthy c1@0', 'gone c1@60000']);
    expect(book.keys()).toEqual([]);
  });

  test('a container that is restarted meanwhile stays unhealthy', () => {
    const { see, run, got } = setUp({ minIntervalMs: 0 });
    see('unhealthy');
    see('gone', 'c1', 5_000);
    run(4_000);
    see('starting');
    run(100_000);
    see('unhealthy');
    expect(got).toEqual(['unhealthy c1@0']);
    see('healthy');
    expect(got).toEqual(['unhealthy c1@0', 'healthy c1@100000']);
  });

  test('skips events that the hook does not want', () => {
    const onlyBad = setUp({ on: ['unhealthy'], minIntervalMs: 0 });
    for (const event of ['unhealthy', 'healthy', 'restart', 'unhealthy', 'gone'] as const) onlyBad.see(event);
    expect(onlyBad.got).toEqual(['unhealthy c1@0', 'unhealthy c1@0']);
    const onlyGood = setUp({ on: ['healthy'], sendsFirstHealthy: true, minIntervalMs: 0 });
    for (const event of ['unhealthy', 'healthy', 'unhealthy', 'gone'] as const) onlyGood.see(event);
    expect(onlyGood.got).toEqual(['healthy c1@0']);
    expect(onlyGood.book.keys()).toEqual([]);
  });
});

describe('failures', () => {
  test('are retried with growing delays, and dropped after the retries', () => {
    const { see, run, got, now, book } = setUp();
    now.verdict = 'failed';
    now.isReached = false;
    see('unhealthy');
    run(1e6);
    expect(got).toEqual([0, 1_000, 3_000].map((ms) => `unhealthy c1@${ms} failed`));
    now.verdict = 'delivered';
    see('healthy');
    run(2e6);
    expect(got).toHaveLength(3); // the receiver knows nothing of it
    expect(book.keys()).toEqual([]);
  });

  test('an alert that may have arrived is resolved, however long that takes', () => {
    const { see, run, got, now } = setUp({ minIntervalMs: 0 });
    now.verdict = 'failed';
    see('unhealthy');
    run(100_000);
    see('healthy');
    run(5_000_000);
    expect(got.filter((text) => text.startsWith('unhealthy'))).toHaveLength(3);
    expect(got.filter((text) => text.startsWith('healthy')).length).toBeGreaterThan(10);
    now.verdict = 'delivered';
    run(6_000_000);
    expect(got.at(-1)).toMatch(/^healthy c1@\d+$/);
  });

  test('a delay applies to all containers, and the one that failed is tried last', () => {
    const { book, run, got, now } = setUp();
    now.verdict = 'failed';
    for (const id of ['a', 'b']) book.notice(id, anEvent('unhealthy', id), { nowMs: 0 });
    run(3_000);
    expect(got).toEqual(['unhealthy a@0 failed', 'unhealthy b@1000 failed', 'unhealthy a@3000 failed']);
  });

  test('a refused alert is not retried, and its end is not sent', () => {
    const { see, run, got, now } = setUp();
    now.verdict = 'refused';
    see('unhealthy');
    see('unhealthy');
    see('healthy');
    run(1e6);
    expect(got).toEqual(['unhealthy c1@0 refused']);
    see('unhealthy');
    expect(got).toEqual(['unhealthy c1@0 refused', 'unhealthy c1@1000000 refused']);
  });
});

test('a full book accepts no further container, and keeps what it has to resolve', () => {
  const { see, book, now } = setUp({ minIntervalMs: 0 });
  for (let id = 0; id < 1_000; id += 1) see('unhealthy', `c${id}`);
  expect(see('unhealthy', 'one-more')).toBe(false);
  expect(see('healthy', 'c5')).toBe(true);
  expect(see('unhealthy', 'one-more')).toBe(true);
  expect(book.firings()).toHaveLength(1_000);
  expect(now.ms).toBe(0);
});

test('the next monitor continues with the alerts that fire', () => {
  const first = setUp();
  first.see('unhealthy', 'a');
  first.now.verdict = 'failed';
  first.see('unhealthy', 'b');
  const known = first.book.firings();
  expect(known.map(({ key, isDelivered }) => [key, isDelivered])).toEqual([
    ['a', true],
    ['b', false],
  ]);
  const second = setUp({}, known);
  second.run(1_000);
  expect(second.got).toEqual([]);
  for (const key of ['a', 'b']) second.see('unhealthy', key);
  expect(second.got).toEqual(['unhealthy b@1000']); // may have been lost
  second.see('gone', 'a');
  second.see('healthy', 'b');
  second.run(1e6);
  expect(second.got).toEqual(['unhealthy b@1000', 'gone a@1000', 'healthy b@61000']);
});

describe('for any sequence of events and answers', () => {
  const ids = ['a', 'b', 'c'];
  const change = fc.record({
    id: fc.constantFrom(...ids),
    event: fc.constantFrom<AlertName | 'starting'>('unhealthy', 'healthy', 'gone', 'restart', 'starting'),
    waitMs: fc.constantFrom(0, 1, 500, 10_000, 59_999, 60_000, 200_000),
    verdict: fc.constantFrom<Verdict>('delivered', 'failed'),
    isReached: fc.boolean(),
    delayMs: fc.constantFrom(0, 1_000, 5_000),
    /** Changes while the request is in progress. */
    isLate: fc.boolean(),
  });
  const anyRules = fc.record({
    minIntervalMs: fc.constantFrom(0, 1, 60_000),
    tellsStart: fc.boolean(),
    isPersistent: fc.boolean(),
  });

  test('deliveries about a container keep their interval, and no receiver keeps an alert that is over', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), anyRules, (changes, rules) => {
        const book = createAlertBook({ ...RULES, ...rules });
        const delivered = new Map<string, { event: AlertName; ms: number }[]>(ids.map((id) => [id, []]));
        const state = new Map<string, AlertName | 'starting'>();
        let nowMs = 0;
        const send = (verdict: Verdict, isReached: boolean, meanwhile: () => void): boolean => {
          const next = book.next(nowMs);
          if (next.kind !== 'send') return false;
          book.begin(next.key, next.event);
          meanwhile();
          // A failed request that reached the receiver may have arrived. This receiver always got it.
          if (verdict === 'delivered' || isReached)
            delivered.get(next.key)?.push({ event: next.event.event, ms: nowMs });
          const reached = verdict === 'delivered' || isReached;
          book.end(next.key, next.event, { verdict, isReached: reached, nowMs, share: 0, retryAfterMs: undefined });
          return true;
        };
        for (const { id, event, waitMs, delayMs, verdict, isReached, isLate } of changes) {
          const see = (): void => {
            if (event !== 'restart') state.set(id, event);
            book.notice(id, event === 'starting' ? undefined : anEvent(event, id), { nowMs, fromMs: nowMs + delayMs });
          };
          if (!isLate) see();
          if (!send(verdict, isReached, isLate ? see : () => {}) && isLate) see();
          nowMs += waitMs;
        }
        for (const id of ids) {
          if (state.get(id) !== 'starting') continue;
          state.set(id, 'healthy');
          book.notice(id, anEvent('healthy', id), { nowMs });
        }
        for (let turns = 0; turns < 1_000; turns += 1) {
          if (send('delivered', true, () => {})) continue;
          const next = book.next(nowMs);
          if (next.kind !== 'wait') break;
          nowMs = next.untilMs;
        }
        for (const [id, got] of delivered) {
          const last = got.filter(({ event }) => event !== 'restart').at(-1)?.event;
          const isBad = state.get(id) === 'unhealthy';
          if (!isBad || rules.isPersistent)
            expect(last === 'unhealthy', `${id} ${state.get(id)} ${JSON.stringify(got)}`).toBe(isBad);
          for (const [at, { event, ms }] of got.entries()) {
            const before = got[at - 1];
            // Retries repeat the same event.
            if (before && before.event !== event) expect(ms - before.ms).toBeGreaterThanOrEqual(rules.minIntervalMs);
          }
        }
        expect(book.next(nowMs).kind).toBe('nothing');
      }),
      { numRuns: 1_000 },
    );
  });
});
