import { expect, test } from 'vitest';
import { createHeadReader } from './http-head.ts';

test('reads a head that comes in pieces after a 1xx response, and leaves the bytes behind it', () => {
  const reader = createHeadReader();
  expect(reader.take(Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP'))).toEqual({ kind: 'more', taken: 25 });
  expect(reader.take(Buffer.from('HTTP/1.1 503 Busy\r\nContent-Le'))).toEqual({ kind: 'more', taken: 29 });
  expect(reader.take(Buffer.from('ngth: 2\r\n\r\nab'))).toEqual({
    ...{ kind: 'whole', taken: 11 },
    head: { kind: 'head', code: 503, reason: 'Busy', isChunked: false, length: 2 },
  });
});

test('refuses what is no head at its first bytes', () => {
  expect(createHeadReader().take(Buffer.from('SSH-2.0'))).toEqual({
    kind: 'broken',
    reason: 'the answer is not HTTP/1.1: "SSH-2.0"',
  });
});
