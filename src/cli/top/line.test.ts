import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth } from '../format/columns.ts';
import { COLOURED, lineOf, PLAIN, safe, toWidth, UNCOLOURED, wrap } from './line.ts';

const text = fc.string({ unit: fc.constantFrom('a', ' ', '語', '😀', 'é', '-') });

test('a text fits its column: cut with a mark, or filled up', () => {
  expect(toWidth('web', 5)).toBe('web  ');
  expect(toWidth('12', 5, 'right')).toBe('   12');
  expect(toWidth('web-frontend', 6)).toBe('web-f~');
  // A wide character that does not fit leaves a space.
  expect(toWidth('語語語', 4)).toBe('語~ ');
  fc.assert(
    fc.property(text, fc.nat(20), (any, width) => {
      expect(displayWidth(toWidth(any, width))).toBe(width);
    }),
  );
});

test('a line is never longer than the screen is wide', () => {
  const spans = [safe('abc', 'bad'), safe('語語'), safe('def', 'good')];
  expect(lineOf(spans, 9, PLAIN)).toBe('abc語語d~');
  fc.assert(
    fc.property(fc.array(text), fc.nat(30), (texts, width) => {
      const line = lineOf(
        texts.map((each) => safe(each)),
        width,
        PLAIN,
      );
      expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test('what a container says cannot reach the terminal', () => {
  expect(safe('a\x1b[2J\r\nb\u202e').text).toBe('a\\x1b[2J\\x0d\\x0ab\\u202e');
});

test('without colours, bold and reverse stay', () => {
  expect(lineOf([safe('a', 'bad'), safe('b', 'reverse')], 9, COLOURED)).toBe('\x1b[31ma\x1b[0m\x1b[7mb\x1b[0m');
  expect(lineOf([safe('a', 'bad'), safe('b', 'reverse')], 9, UNCOLOURED)).toBe('a\x1b[7mb\x1b[0m');
});

test('long texts are broken between words, words where there is nothing else', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrap('0123456789', 4)).toEqual(['0123', '4567', '89']);
  expect(wrap('', 4)).toEqual(['']);
  expect(wrap(`Name: ${'word '.repeat(12)}`.trim(), 40, 6)).toEqual([
    'Name: word word word word word word word',
    '      word word word word word',
  ]);
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 50 }), fc.nat(25), (any, width, indent) => {
      const lines = wrap(any, width, indent);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      expect(lines.join('').replaceAll(' ', '')).toBe(any.replaceAll(' ', ''));
    }),
  );
});
