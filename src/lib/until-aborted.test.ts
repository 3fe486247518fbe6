import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { untilAborted } from './until-aborted.ts';

/** What comes of a source that sends these, and whether it was closed. */
function letters(last: 'ends' | 'fails') {
  const seen = { isClosed: false };
  const source = async function* () {
    try {
      yield* ['a', 'b'];
      if (last === 'fails') throw new Error('broken');
    } finally {
      seen.isClosed = true;
    }
  };
  return { seen, source: source() };
}

test('passes all on, and an error of the source', async () => {
  const good: string[] = [];
  for await (const letter of untilAborted(letters('ends').source, undefined, 'cancelled')) good.push(letter);
  expect(good).toEqual(['a', 'b']);
  const bad = async () => {
    for await (const letter of untilAborted(letters('fails').source, undefined, 'cancelled')) good.push(letter);
  };
  await expect(bad()).rejects.toThrow('broken');
});

test('closes the source when its reader stops', async () => {
  const { seen, source } = letters('ends');
  for await (const _ of untilAborted(source, undefined, 'cancelled')) break;
  expect(seen.isClosed).toBe(true);
});

test.each([
  ['before the first', 0],
  ['while the source is silent', 20],
])('ends when the signal fires %s', async (_, afterMs) => {
  const abort = new AbortController();
  if (afterMs === 0) abort.abort();
  else setTimeout(() => abort.abort(), afterMs);
  const reading = untilAborted(new PassThrough(), abort.signal, 'the copy was cancelled').next();
  await expect(reading).rejects.toMatchObject({ code: 'ABORTED', message: 'the copy was cancelled' });
});
