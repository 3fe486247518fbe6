import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endOfJsonValue } from './json-syntax.ts';

describe('the end of a JSON value', () => {
  test('is found whatever follows', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', ' x', '}', ']'), (value, rest) => {
        const text = JSON.stringify(value, null, 1);
        expect(endOfJsonValue(`${text}${rest}`, 0)).toBe(text.length);
      }),
    );
  });

  test.each([
    ['{invalid json', "invalid character 'i' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['{"a":x}', "invalid character 'x' looking for beginning of value"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e+x', "invalid character 'x' in exponent of numeric literal"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['{"a":', 'unexpected EOF'],
    ['"a', 'unexpected EOF'],
  ])('in %j is missing', (text, reason) => {
    expect(() => endOfJsonValue(text, 0)).toThrow(
      expect.objectContaining({ code: 'INVALID', message: `invalid JSON: ${reason}` }),
    );
  });

  test('that is too deep is refused', () => {
    expect(endOfJsonValue(`${'['.repeat(1_000)}${']'.repeat(1_000)}`, 0)).toBe(2_000);
    expect(() => endOfJsonValue('['.repeat(1_000_000), 0)).toThrow('invalid JSON: exceeded max depth');
  });
});
