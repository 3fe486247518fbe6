import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBool, parseInteger } from './values.ts';

describe('parseBool', () => {
  test.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('%s is true', (text) => expect(parseBool(text)).toBe(true));
  test.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('%s is false', (text) => expect(parseBool(text)).toBe(false));
  test.each(['', 'yes', 'tRUE', ' true'])('refuses %j', (text) => {
    expect(() => parseBool(text)).toThrow(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  });
});

describe('parseInteger', () => {
  // Docker 28.2.2 accepted or refused each of these (`docker ps --last …`).
  test.each([
    ['0', 0],
    ['-1', -1],
    ['+7', 7],
    ['0x10', 16],
    ['0X1f', 31],
    ['010', 8],
    ['0o17', 15],
    ['0b101', 5],
    ['1_000', 1000],
    ['0x_f', 15],
    ['0_7', 7],
    ['00', 0],
  ])('reads %s', (text, value) => expect(parseInteger(text)).toBe(value));

  test.each(['', 'many', '1.5', '09', '0x', '_1', '1_', '1__0', '0b12', '0o8', '1e3', ' 1', '--1', 'ff', '0_'])(
    'refuses %j, which is no integer',
    (text) => {
      expect(() => parseInteger(text)).toThrow(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    },
  );

  test.each(['9223372036854775808', '-9223372036854775809', '9'.repeat(100_000), '0xfffffffffffffffff'])(
    'refuses %.30s, which is out of range',
    (text) => {
      expect(() => parseInteger(text)).toThrow(/: value out of range$/);
    },
  );

  test('parses every integer in every base', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(parseInteger(`${value}`)).toBe(value);
        const sign = value < 0 ? '-' : '';
        expect(parseInteger(`${sign}0x${Math.abs(value).toString(16)}`)).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  test('throws only its own errors', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('0', '1', '7', '9', '_', 'x', 'b', 'o', '-', '+', 'f') }),
        (text) => {
          try {
            expect(Number.isFinite(parseInteger(text))).toBe(true);
          } catch (error) {
            expect(String(error)).toMatch(/strconv\.ParseInt: parsing/);
          }
        },
      ),
    );
  });
});
