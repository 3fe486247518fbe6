import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrames } from '../../test/builders/frames.ts';
import { bytesTo, framesTo } from './frames.ts';

test('the head of a frame', async () => {
  const target = new PassThrough();
  framesTo(target, 'stderr').write('hello');
  target.end();
  expect([...(await buffer(target))]).toEqual([2, 0, 0, 0, 0, 0, 0, 5, ...Buffer.from('hello')]);
});

test('any chunks of two streams decode to the same bytes, whatever the speed of the reader', async () => {
  const chunk = fc.record({
    stream: fc.constantFrom('stdout', 'stderr'),
    text: fc.string({ minLength: 1, maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 20 }), fc.integer({ min: 1, max: 64 }), async (chunks, mark) => {
      const target = new PassThrough({ highWaterMark: mark });
      const writers = { stdout: framesTo(target, 'stdout'), stderr: framesTo(target, 'stderr') };
      const read = buffer(target);
      for (const { stream, text } of chunks)
        await new Promise((resolve) => writers[stream].write(Buffer.from(text), resolve));
      target.end();
      const sent = (wanted: string) => chunks.flatMap(({ stream, text }) => (stream === wanted ? [text] : [])).join('');
      expect(decodeFrames(await read)).toEqual({
        stdout: sent('stdout'),
        stderr: sent('stderr'),
        count: chunks.length,
      });
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['frames', (target: PassThrough) => framesTo(target, 'stdout')],
  ['bytes', bytesTo],
])('%s: a reader that is slow holds the writer back, and one that goes releases it', async (_, make) => {
  const target = new PassThrough({ highWaterMark: 4 });
  const writer = make(target);
  let written = 0;
  for (let at = 0; at < 3; at += 1) writer.write('12345', () => (written += 1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toBe(0);
  target.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toBe(3);
});
