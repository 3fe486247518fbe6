import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFrameReader, frameMessage } from './grpc-frames.ts';

describe('gRPC frames', () => {
  test('messages arrive unchanged, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        (messages, size) => {
          const wire = Buffer.concat(messages.map(frameMessage));
          const reader = createFrameReader();
          const out: Buffer[] = [];
          for (let at = 0; at < wire.length; at += size) out.push(...reader.feed(wire.subarray(at, at + size)));
          expect(out.map((message) => [...message])).toEqual(messages.map((message) => [...message]));
        },
      ),
    );
  });

  test('a large message costs no more than its size, however many pieces it comes in', () => {
    const wire = frameMessage(Buffer.alloc(8 << 20, 1));
    const reader = createFrameReader();
    const out: Buffer[] = [];
    for (let at = 0; at < wire.length; at += 1 << 10) out.push(...reader.feed(wire.subarray(at, at + (1 << 10))));
    expect(out.map(({ length }) => length)).toEqual([8 << 20]);
  });

  test('refuses a message that is announced as too large or compressed, before reading it', () => {
    const huge = Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);
    expect(() => createFrameReader().feed(huge)).toThrow(expect.objectContaining({ code: 'EXHAUSTED' }));
    expect(() => createFrameReader().feed(Buffer.from([1, 0, 0, 0, 0]))).toThrow(
      expect.objectContaining({ code: 'CORRUPT' }),
    );
  });
});
