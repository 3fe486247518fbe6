import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableLine } from './printable.ts';

test.each([
  ['plain text', 'plain text', 'plain text'],
  ['é “ü” 日本 👍', 'é “ü” 日本 👍', 'é “ü” 日本 👍'],
  ['a\x1b[2Jb', 'a\\x1b[2Jb', 'a\\x1b[2Jb'],
  ['a\x9b31mb\x7f', 'a\\x9b31mb\\x7f', 'a\\x9b31mb\\x7f'],
  ['\u202egpj.exe\u202c', '\\u202egpj.exe\\u202c', '\\u202egpj.exe\\u202c'],
  [
    'a\u2066b\u2069\u200e\u200f\u061c',
    'a\\u2066b\\u2069\\u200e\\u200f\\u061c',
    'a\\u2066b\\u2069\\u200e\\u200f\\u061c',
  ],
  ['a\u2028b\u2029', 'a\\u2028b\\u2029', 'a\\u2028b\\u2029'],
  ['a\r\nb\r\r\nc\r', 'a\nb\\x0d\nc\\x0d', 'a\\x0d\\x0ab\\x0d\\x0d\\x0ac\\x0d'],
  ['a\tb\nc\r\0', 'a\tb\nc\\x0d\\x00', 'a\\x09b\\x0ac\\x0d\\x00'],
])('shows %j', (text, inText, onLine) => {
  expect(printable(text)).toBe(inText);
  expect(printableLine(text)).toBe(onLine);
});

test('leaves nothing that a terminal interprets; a second pass changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const line = printableLine(text);
      expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      expect(printableLine(line)).toBe(line);
    }),
  );
});
