import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { pumpStdin } from './stdin.ts';

/** Copies a source, and records what arrives. */
function pump(source: PassThrough) {
  const sink = new PassThrough();
  let arrived = '';
  sink.on('data', (chunk: Buffer) => {
    arrived += chunk;
  });
  let ends = 0;
  const stop = pumpStdin({ source, sink, onEnd: () => (ends += 1), onDetach: () => {} });
  return { sink, stop, seen: () => [arrived, ends] };
}

test('copies to the end, and tells it once', async () => {
  const source = new PassThrough();
  const { seen } = pump(source);
  source.write('a');
  source.end('b');
  await expect.poll(seen).toEqual(['ab', 1]);
});

test.each([
  ['ended', (source: PassThrough) => source.end().resume()],
  ['was cut off', (source: PassThrough) => source.destroy()],
])('a source that %s before is at its end', async (_, finish) => {
  const source = new PassThrough();
  finish(source);
  await new Promise((resolve) => source.once('close', resolve));
  const { seen } = pump(source);
  await expect.poll(seen).toEqual(['', 1]);
});

test('a source that is cut off is at its end', async () => {
  const source = new PassThrough();
  const { seen } = pump(source);
  source.write('a');
  await expect.poll(seen).toEqual(['a', 0]);
  source.destroy();
  await expect.poll(seen).toEqual(['a', 1]);
});

test('after its end nothing is copied', async () => {
  const source = new PassThrough();
  const { sink, stop, seen } = pump(source);
  stop();
  expect([sink.destroyed, source.isPaused()]).toEqual([true, true]);
  source.end('a');
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen()).toEqual(['', 0]);
});
