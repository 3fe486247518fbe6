import { readFileSync, renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileReasonOf, messageOf } from './errors.ts';

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
])('for %s the reason is: %s', (path, reason) => {
  expect(fileReasonOf(failureOf(path))).toBe(reason);
});

test('an error that is no system error keeps its message', () => {
  expect(fileReasonOf(new Error('boom'))).toBe('boom');
  expect(fileReasonOf('text')).toBe('text');
});

test.each([
  ['/nonexistent/file', '/nonexistent/file: no such file or directory'],
  ['/', 'read: is a directory'],
])('the message of a failed read of %s has the file and the reason in words', (path, message) => {
  expect(messageOf(failureOf(path))).toBe(message);
});

test('an error with two file names shows both', () => {
  const failure = (() => {
    try {
      return renameSync('/nonexistent/a', '/nonexistent/b');
    } catch (error) {
      return error;
    }
  })();
  expect(messageOf(failure)).toBe('/nonexistent/a -> /nonexistent/b: no such file or directory');
});

test.each([
  ['EMFILE', 'too many open files'],
  ['EROFS', 'read-only file system'],
  ['ENOSPC', 'no space left on device'],
])('the error code %s is shown in words', (code, words) => {
  const error = Object.assign(new Error(`${code}: whatever, open '/x'`), { code, syscall: 'open', path: '/x' });
  expect(messageOf(error)).toBe(`/x: ${words}`);
});

test('an error with a readable message keeps it', () => {
  const error = Object.assign(new Error('connect EACCES /run/x.sock'), { code: 'EACCES' });
  expect(messageOf(error)).toBe('connect EACCES /run/x.sock');
});
