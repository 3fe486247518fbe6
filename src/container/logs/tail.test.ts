import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findTail, type StoredPart } from './tail.ts';

/** A file in memory that returns at most `most` bytes for each read. */
function aPart(text: string, most = Number.POSITIVE_INFINITY): StoredPart {
  const content = Buffer.from(text);
  return {
    file: { read: async (position, length) => content.subarray(position, position + Math.min(length, most)) },
    size: content.length,
  };
}

async function tailOf(texts: readonly string[], lines: number, most?: number): Promise<string> {
  const { part, offset } = await findTail(
    texts.map((text) => aPart(text, most)),
    lines,
  );
  return texts
    .slice(part)
    .map((text, index) => (index === 0 ? Buffer.from(text).subarray(offset).toString() : text))
    .join('');
}

/** The output of `tail -n`. */
function expectedTail(text: string, lines: number): string {
  const all = text.split('\n');
  const rest = all.pop() ?? '';
  const whole = [...all.map((line) => `${line}\n`), ...(rest === '' ? [] : [rest])];
  return lines === 0 ? '' : whole.slice(-lines).join('');
}

describe('findTail', () => {
  test.each([
    ['a\nb\nc\n', 1, 'c\n'],
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 1, 'c'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\nc\n', 3, 'a\nb\nc\n'],
    ['a\nb\nc\n', 9, 'a\nb\nc\n'],
    ['a\n\n\n', 2, '\n\n'],
    ['\n', 1, '\n'],
    ['a', 1, 'a'],
    ['', 5, ''],
    ['a\nb\n', 0, ''],
  ])('of %j, the last %d lines', async (text, lines, expected) => {
    expect(await tailOf([text], lines)).toBe(expected);
    expect(expectedTail(text, lines)).toBe(expected);
  });

  test('reads the files of a stream as one text', async () => {
    expect(await tailOf(['a\nb\n', 'c\n'], 2)).toBe('b\nc\n');
    expect(await tailOf(['a\nb', 'c\n', ''], 1)).toBe('bc\n');
    expect(await tailOf(['a\nb\n', ''], 1)).toBe('b\n');
    expect(await tailOf([], 3)).toBe('');
  });

  test('finds a line that begins before the last block', async () => {
    const long = `${'x'.repeat(200_000)}\n`;
    expect(await tailOf([`first\n${long}last\n`], 2)).toBe(`${long}last\n`);
    expect(await tailOf([`first\n${long}last\n`], 2, 1000)).toBe(`${long}last\n`);
  });

  test('equals tail -n, for any text in any files', async () => {
    const line = fc.constantFrom('', 'a', 'bc', '\n', 'd\n', '\n\n', 'é\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.nat(8),
        fc.integer({ min: 1, max: 3 }),
        async (texts, lines, most) => {
          expect(await tailOf(texts, lines, most)).toBe(expectedTail(texts.join(''), lines));
        },
      ),
    );
  });
});
