import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentOf, createFrameParser, FLAG, frameFrom, ProtocolError, TYPE } from './frames.ts';

describe('frames', () => {
  test('are parsed, however they are cut into pieces', () => {
    const frame = fc.record({
      type: fc.nat(9),
      flags: fc.nat(255),
      streamId: fc.nat(2 ** 31 - 1),
      payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 50 })), (frames, cuts) => {
        const wire = Buffer.concat(frames.map((f) => frameFrom(f.type, f.flags, f.streamId, f.payload)));
        const parser = createFrameParser();
        const got = [];
        for (let at = 0, i = 0; at < wire.length; i += 1) {
          const length = cuts[i] ?? wire.length;
          got.push(...parser.feed(wire.subarray(at, at + length)));
          at += length;
        }
        expect(got.map((f) => ({ ...f, payload: Buffer.from(f.payload) }))).toEqual(frames);
      }),
    );
  });

  test('longer ones than agreed are refused before they are read', () => {
    expect(() => createFrameParser(100).feed(frameFrom(TYPE.data, 0, 1, Buffer.alloc(101)).subarray(0, 9))).toThrow(
      ProtocolError,
    );
  });

  test('padding and priority are removed', () => {
    const padded = Buffer.from([2, 1, 2, 3, 0, 0]);
    const of = (type: number, flags: number, payload: Buffer) => contentOf({ type, flags, streamId: 1, payload });
    expect([...of(TYPE.data, FLAG.padded, padded)]).toEqual([1, 2, 3]);
    expect([...of(TYPE.headers, FLAG.priority, Buffer.from([0, 0, 0, 0, 9, 7]))]).toEqual([7]);
    expect(() => of(TYPE.data, FLAG.padded, Buffer.from([9, 1]))).toThrow(ProtocolError);
    expect(() => of(TYPE.headers, FLAG.padded | FLAG.priority, Buffer.from([3, 0, 0, 0, 0, 9]))).toThrow(ProtocolError);
  });
});
