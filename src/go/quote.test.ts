import { describe, expect, test } from 'vitest';
import { quote } from './quote.ts';

describe('quoting like Go', () => {
  test.each([
    ['', '""'],
    ['plain text', '"plain text"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['tab\tnewline\n', '"tab\\tnewline\\n"'],
    ['\x01\x1b\x7f', '"\\x01\\x1b\\x7f"'],
    ['é😀', '"é😀"'],
    ['\u200b\u00a0\u2028', '"\\u200b\\u00a0\\u2028"'],
    ['\u{e0001}', '"\\U000e0001"'],
  ])('quotes %j', (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });
});
