import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrameReader, framed } from './frames.ts';

test('messages come out as they were sent, however the stream is split', () => {
  const message = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 50 })), (messages, sizes) => {
      const read: Buffer[] = [];
      const frames = createFrameReader((bytes) => read.push(Buffer.from(bytes)));
      let rest = Buffer.concat(messages.map(framed));
      for (const size of sizes) {
        frames.push(rest.subarray(0, size));
        rest = rest.subarray(size);
      }
      frames.push(rest);
      expect(read).toEqual(messages);
    }),
  );
});
