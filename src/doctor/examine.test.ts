import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { DoctorContext } from './context.ts';
import { examineHost } from './examine.ts';
import { error, ok } from './finding.ts';

const clock = createFakeClock();
const ctx = { clock, signal: new AbortController().signal } as unknown as DoctorContext;

test('runs each check independently, in order; those that fail or hang say so', async () => {
  const found = examineHost(ctx, [
    ['first', async () => [ok('first', 'fine'), error('first', 'broken', 'mend it')]],
    ['throws', () => Promise.reject(new HealthctlError('DENIED', 'no permission', { hint: 'run as root' }))],
    [
      'throws at once',
      () => {
        throw new Error('boom');
      },
    ],
    ['hangs', () => new Promise(() => undefined)],
    ['last', () => [ok('last', 'fine')]],
  ]);
  await clock.advance(20_000);
  expect(await found).toEqual([
    { name: 'first', status: 'ok', what: 'fine' },
    { name: 'first', status: 'error', what: 'broken', remedy: 'mend it' },
    { name: 'throws', status: 'warning', what: 'could not be checked: no permission', remedy: 'run as root' },
    { name: 'throws at once', status: 'warning', what: 'could not be checked: boom' },
    { name: 'hangs', status: 'warning', what: 'could not be checked: no answer in 20 s' },
    { name: 'last', status: 'ok', what: 'fine' },
  ]);
});
