import { expect, test } from 'vitest';
import { bodyReaderOf } from './http-body.ts';
import type { Head } from './http-head.ts';

const HEAD: Head = { kind: 'head', code: 200, reason: 'OK', isChunked: false, length: undefined };

/** The steps of reading a body, e.g. `more 3, done 1: abc`. */
function read(head: Partial<Head>, ...pieces: readonly string[]): string | undefined {
  let data = '';
  const reader = bodyReaderOf({ ...HEAD, ...head }, (bytes) => {
    data += bytes;
  });
  const steps = pieces.map((piece) => {
    const step = reader?.take(Buffer.from(piece));
    return step?.kind === 'broken' ? step.reason : `${step?.kind} ${step?.taken}`;
  });
  return reader && `${steps.join(', ')}: ${data}${reader.endsWithConnection ? ' …' : ''}`;
}

test('a body ends at its length or at the end of the connection, or does not exist', () => {
  expect(read({ length: 4 }, 'abc', 'def')).toBe('more 3, done 1: abcd');
  expect(read({}, 'abc')).toBe('more 3: abc …');
  expect(read({ length: 0 })).toBeUndefined();
  expect(read({ code: 204, length: 4 })).toBeUndefined();
});

test('a chunked body is read piece by piece', () => {
  const chunked = { isChunked: true };
  expect(read(chunked, '3;x=y\r\n', 'abcd', '\r\n', '0\r\n')).toBe('more 7, more 3, more 2, done 3: abc');
  expect(read(chunked, 'no size\r\n')).toBe('a chunk of the response has no size: ');
  expect(read(chunked, '1\r\n', 'a', 'b\r\n')).toBe(
    'more 3, more 1, a chunk of the response is longer than its size: a',
  );
});
