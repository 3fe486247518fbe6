import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDetachFilter, parseDetachKeys } from './detach-keys.ts';

describe('parseDetachKeys', () => {
  test.each<[string | undefined, number[]]>([
    [undefined, [16, 17]],
    ['', [16, 17]],
    ['ctrl-p,ctrl-q', [16, 17]],
    ['a', [97]],
    ['a,b', [97, 98]],
    ['ctrl-@', [0]],
    ['ctrl-a', [1]],
    ['ctrl-z', [26]],
    ['ctrl-[', [27]],
    ['ctrl-\\', [28]],
    ['ctrl-],x', [29, 120]],
    ['ctrl-^', [30]],
    ['ctrl-_', [31]],
    ['DEL', [127]],
  ])('parses %j', (text, codes) => {
    expect(parseDetachKeys(text)).toEqual(codes);
  });

  test.each(['ctrl-A', 'ctrl-', 'ctrl-1', 'CTRL-a', 'ab', 'a,', ',', 'é', 'a, b'])('refuses %j', (text) => {
    expect(() => parseDetachKeys(text)).toThrow(`Invalid detach keys (${text}) provided`);
    expect(() => parseDetachKeys(text, 'escape')).toThrow(`Invalid escape keys (${text}) provided`);
  });
});

/**
 * Types the chunks.
 * @returns the bytes that were passed on, and whether the keys detached
 */
function type(keys: string, ...chunks: string[]) {
  const filter = createDetachFilter(Buffer.from(keys).toJSON().data);
  let passed = '';
  for (const chunk of chunks) {
    const { bytes, detached } = filter.feed(Buffer.from(chunk));
    passed += bytes.toString();
    if (detached) return { passed, detached };
  }
  return { passed, detached: false };
}

describe('createDetachFilter', () => {
  test.each<[string, string[], string, boolean]>([
    ['pq', ['hello'], 'hello', false],
    ['pq', ['pq'], '', true],
    ['pq', ['p', 'q'], '', true],
    ['pq', ['xpqy'], 'x', true],
    ['pq', ['p'], '', false],
    ['pq', ['p', 'x'], 'px', false],
    ['pq', ['ppq'], 'p', true],
    ['ppq', ['pp', 'pq'], 'p', true],
    ['aab', ['aa', 'ac'], 'aaac', false],
    ['a', ['xa'], 'x', true],
  ])('the keys %j in the chunks %j', (keys, chunks, passed, detached) => {
    expect(type(keys, ...chunks)).toEqual({ passed, detached });
  });

  test('passes on everything before the first occurrence of the keys, however the input is cut', () => {
    const letters = fc.string({ unit: fc.constantFrom('p', 'q', 'x'), maxLength: 30 });
    const keys = fc.string({ unit: fc.constantFrom('p', 'q'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(keys, fc.array(letters, { maxLength: 6 }), (sequence, chunks) => {
        const text = chunks.join('');
        const at = text.indexOf(sequence);
        const { passed, detached } = type(sequence, ...chunks);
        expect(detached).toBe(at >= 0);
        if (at >= 0) expect(passed).toBe(text.slice(0, at));
        else expect(text.startsWith(passed) && sequence.startsWith(text.slice(passed.length))).toBe(true);
      }),
    );
  });
});
