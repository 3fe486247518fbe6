import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBoundedOutput } from './bounded-output.ts';

function collect(chunks: readonly Uint8Array[], maxBytes?: number): string {
  const output = createBoundedOutput(maxBytes);
  for (const chunk of chunks) output.add(chunk);
  return output.text();
}

describe('bounded output', () => {
  test.each([
    [0, 0, ''],
    [4096, 4096, 'x'],
    [4097, 4099, '...'],
    [1_000_000, 4099, '...'],
  ])('of %d bytes, %d characters are shown', (bytes, length, end) => {
    const text = collect([Buffer.alloc(bytes, 'x')]);
    expect([text.length, text.endsWith(end)]).toEqual([length, true]);
  });

  // As Go's encoding/json: one U+FFFD for each byte that begins no valid sequence.
  test.each<[string, number[], string]>([
    ['a lone byte', [0x61, 0xff, 0x62], 'a\uFFFDb'],
    ['a sequence that breaks off', [0xe2, 0x82, 0x61], '\uFFFD\uFFFDa'],
    ['an overlong form', [0xc0, 0xaf], '\uFFFD\uFFFD'],
    ['a surrogate', [0xed, 0xa0, 0x80], '\uFFFD\uFFFD\uFFFD'],
    ['beyond Unicode', [0xf5, 0x80, 0x80, 0x80], '\uFFFD\uFFFD\uFFFD\uFFFD'],
    ['valid ones between', [0xc3, 0xa9, 0xff, 0xf0, 0x9f, 0x98, 0x80], 'é\uFFFD😀'],
    ['a byte order mark stays', [0xef, 0xbb, 0xbf, 0x61], '\uFEFFa'],
  ])('bytes that are not UTF-8: %s', (_, bytes, text) => {
    expect(collect([Uint8Array.from(bytes)])).toBe(text);
  });

  test('valid text does not change, however it is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 7 }), (text, size) => {
        const bytes = Buffer.from(text); // lone surrogates become U+FFFD here
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        expect(collect(chunks)).toBe(bytes.toString('utf8'));
      }),
    );
  });

  test('no input makes it throw or exceed its limit', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => collect([bytes], 50).length <= 53));
  });
});
