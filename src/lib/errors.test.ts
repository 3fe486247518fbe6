import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileReasonOf } from './errors.ts';

const failureOf = (path: string): unknown => {
  try {
    return readFileSync(path);
  } catch (error) {
    return error;
  }
};

test.each([
  ['/nonexistent/file', 'no such file or directory'],
  ['/dev/null/file', 'not a directory'],
  ['/', 'is a directory'],
])('%s: %s', (path, reason) => {
  expect(fileReasonOf(failureOf(path))).toBe(reason);
});

test('what is no error of the system says what it says', () => {
  expect(fileReasonOf(new Error('boom'))).toBe('boom');
  expect(fileReasonOf('text')).toBe('text');
});
