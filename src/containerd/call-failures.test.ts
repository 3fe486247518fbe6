import { expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { countFailures } from './call-failures.ts';
import type { Transport } from './transport.ts';

test('counts failed calls by code, but not NOT_FOUND and cancelled ones', async () => {
  const thrown = [
    ...(['UNAVAILABLE', 'NOT_FOUND', 'ABORTED', 'ALREADY_EXISTS', 'UNAVAILABLE', 'TIMEOUT'] as const).map(
      (code) => new HealthctlError(code, code),
    ),
    new TypeError('ours'),
  ];
  const { transport, failures } = countFailures({
    unary: () => Promise.reject(thrown[0]),
  } as unknown as Transport);
  for (const error of [...thrown]) {
    await expect(transport.unary('s', {} as never, {}, {})).rejects.toBe(error);
    thrown.shift();
  }
  expect([...failures]).toEqual([
    ['UNAVAILABLE', 2],
    ['TIMEOUT', 1],
    ['INTERNAL', 1],
  ]);
});
