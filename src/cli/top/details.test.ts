import { expect, test } from 'vitest';
import { aResult, T0 } from '../../../test/builders/health.ts';
import { mergedResults } from './details.ts';

test('results of the log, with their whole output, and older ones of the history, the newest first', () => {
  const past = [
    { atMs: T0 + 2_000, durationMs: 10, exitCode: 1, output: 'cut' },
    { atMs: T0 + 1_000, durationMs: 7, exitCode: 0, output: '' },
  ];
  expect(mergedResults([aResult(2_000, 1, 'cut off nowhere'), aResult(3_000)], past)).toEqual([
    { atMs: T0 + 3_000, durationMs: 10, exitCode: 0, output: '' },
    { atMs: T0 + 2_000, durationMs: 10, exitCode: 1, output: 'cut off nowhere' },
    { atMs: T0 + 1_000, durationMs: 7, exitCode: 0, output: '' },
  ]);
});
