import { expect, test } from 'vitest';
import { aResult, aState } from '../../../test/builders/health.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { recordedCheck } from './check.ts';

test('returns a recorded check', async () => {
  const report = { kind: 'recorded', result: aResult(), state: aState(), statusChanged: false } as const;
  expect(await recordedCheck('web', async () => report)).toBe(report);
});

test.each([
  ['paused', 'CONFLICT', 'the health check of web was not recorded: the container was paused meanwhile'],
  ['ended', 'CONFLICT', 'the health check of web was not recorded: the container ended meanwhile'],
  ['cancelled', 'ABORTED', 'the health check of web was not recorded: it was cancelled'],
] as const)('a dropped check (%s) gives an error', async (reason, code, message) => {
  await expect(recordedCheck('web', async () => ({ kind: 'dropped', reason }))).rejects.toMatchObject({
    code,
    message,
  });
});

test("a missing container gives nerdctl's text, and keeps the hint", async () => {
  const missing = async () => {
    throw new HealthctlError('NOT_FOUND', 'No such container: web', { hint: 'look elsewhere' });
  };
  await expect(recordedCheck('web', missing)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: 'no such container web',
    hint: 'look elsewhere',
  });
});
