import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameFrom, PREFACE, TYPE } from '../containerd/http2/frames.ts';
import { createFrameCost } from './frame-cost.ts';

const costOf = (...pieces: readonly Buffer[]): number => {
  const cost = createFrameCost();
  return pieces.reduce((sum, bytes) => sum + cost.of(bytes), 0);
};

test('the preface costs nothing, a frame what its type costs, and its payload nothing', () => {
  expect(costOf(PREFACE)).toBe(0);
  expect(costOf(Buffer.concat([PREFACE, frameFrom(TYPE.ping, 0, 0, Buffer.alloc(8, 1))]))).toBe(1);
  const call = [frameFrom(TYPE.headers, 4, 1, Buffer.alloc(50, 1)), frameFrom(TYPE.data, 1, 1, Buffer.alloc(5, 1))];
  expect(costOf(Buffer.concat([PREFACE, ...call]))).toBe(31);
});

test('the cost is the same however the bytes are cut', () => {
  const frame = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 40 }))
    .map(([type, payload]) => frameFrom(type, 0, 1, payload));
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 20 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
      (frames, sizes) => {
        const all = Buffer.concat([PREFACE, ...frames]);
        const pieces: Buffer[] = [];
        for (let at = 0; at < all.length; ) {
          const size = sizes.next().value;
          pieces.push(all.subarray(at, at + size));
          at += size;
        }
        expect(costOf(...pieces)).toBe(costOf(all));
        const dear = frames.filter((bytes) => bytes[3] === TYPE.headers || bytes[3] === TYPE.continuation).length;
        expect(costOf(all)).toBe(frames.length + 29 * dear);
      },
    ),
  );
});
