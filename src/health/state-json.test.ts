import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aResult, aState } from '../../test/builders/health.ts';
import { healthDocumentOf, jsonFromHealthState, jsonFromResult, parseHealthState, parseResult } from './state-json.ts';

describe('stored health', () => {
  test('is read as it was written', () => {
    expect(parseHealthState(jsonFromHealthState(aState()))).toEqual(aState());
    expect(parseResult(jsonFromResult(aResult(1, 2, 'x')))).toEqual(aResult(1, 2, 'x'));
  });
  test("is read from nerdctl's output", () => {
    expect(parseHealthState({ Status: 'unhealthy', FailingStreak: 3, InStartPeriod: false })).toEqual(
      aState({ status: 'unhealthy', failingStreak: 3, run: undefined }),
    );
    expect(
      parseResult({ Start: '2026-01-01T00:00:00.123456789+01:00', End: '2026-01-01T00:00:01+01:00', ExitCode: 0 }),
    ).toMatchObject({ exitCode: 0, output: '' });
  });
  test.each([
    { Status: 'Healthy', FailingStreak: 0 },
    { Status: 'healthy', FailingStreak: -1 },
    { Status: 'healthy' },
    null,
    'healthy',
    [],
  ])('refuses the state %o', (value) => {
    expect(parseHealthState(value)).toBeUndefined();
  });
  test.each([
    { Start: 'x', End: 'y', ExitCode: 0 },
    { Start: '2026-01-01T00:00:00Z', End: '2026-01-01T00:00:00Z', ExitCode: '0' },
    null,
    5,
  ])('refuses the result %o', (value) => {
    expect(parseResult(value)).toBeUndefined();
  });
  test('never throws', () => {
    fc.assert(fc.property(fc.anything(), (value) => void [parseHealthState(value), parseResult(value)]));
  });
});

test("Docker's health document has Docker's keys in Docker's order", () => {
  const document = healthDocumentOf({ ...aState({ failingStreak: 2 }), log: [aResult(1, 2, 'x')] });
  expect(JSON.stringify(document)).toBe(
    JSON.stringify({ Status: 'healthy', FailingStreak: 2, Log: [jsonFromResult(aResult(1, 2, 'x'))] }),
  );
  expect(Object.keys(document.Log[0] ?? {})).toEqual(['Start', 'End', 'ExitCode', 'Output']);
});
