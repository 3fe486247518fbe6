import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forEachLimited, gatherChunks } from './chunks.ts';

test('gatherChunks keeps the bytes, in pieces of the given size', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 20 }));
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 30 }), async (input, size) => {
      const source = async function* () {
        yield* input;
      };
      const output: Buffer[] = [];
      for await (const chunk of gatherChunks(source(), size)) output.push(Buffer.from(chunk));
      expect(Buffer.concat(output).equals(Buffer.concat(input))).toBe(true);
      for (const chunk of output.slice(0, -1)) expect(chunk.length).toBe(size);
    }),
  );
});

describe('forEachLimited', () => {
  test('runs all work, with a limit on concurrency', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await forEachLimited([1, 2, 3, 4, 5], 2, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      done.push(item);
    });
    expect(done.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  test('the first failure aborts the rest and is reported', async () => {
    const started: number[] = [];
    const work = async (item: number, signal: AbortSignal) => {
      started.push(item);
      if (item === 2) throw new Error('two');
      await new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    };
    await expect(forEachLimited([1, 2, 3, 4], 2, work)).rejects.toThrow('two');
    expect(started).toEqual([1, 2]);
  });

  test('passes an abort on to the work', async () => {
    const stop = new AbortController();
    const work = async (_: number, signal: AbortSignal) => {
      stop.abort();
      if (signal.aborted) throw new Error('cancelled');
    };
    await expect(forEachLimited([1], 2, work, stop.signal)).rejects.toThrow('cancelled');
  });
});
