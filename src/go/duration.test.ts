import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import {
  formatDuration,
  HOUR,
  MAX_DURATION,
  MICROSECOND,
  MILLISECOND,
  MIN_DURATION,
  MINUTE,
  millisecondsFromNanoseconds,
  nanosecondsFromMilliseconds,
  parseDuration,
  SECOND,
} from './duration.ts';

describe('parseDuration', () => {
  test.each<[string, bigint]>([
    ['0', 0n],
    ['+0', 0n],
    ['-0', 0n],
    ['5s', 5n * SECOND],
    ['30s', 30n * SECOND],
    ['1478s', 1478n * SECOND],
    ['-5s', -5n * SECOND],
    ['+5s', 5n * SECOND],
    ['5.0s', 5n * SECOND],
    ['5.6s', 5_600n * MILLISECOND],
    ['5.s', 5n * SECOND],
    ['.5s', 500n * MILLISECOND],
    ['1.004s', 1_004n * MILLISECOND],
    ['100.00100s', 100_001n * MILLISECOND],
    ['10ns', 10n],
    ['11us', 11n * MICROSECOND],
    ['12\u00b5s', 12n * MICROSECOND],
    ['12\u03bcs', 12n * MICROSECOND],
    ['13ms', 13n * MILLISECOND],
    ['15m', 15n * MINUTE],
    ['16h', 16n * HOUR],
    ['3h30m', 3n * HOUR + 30n * MINUTE],
    ['10.5s4m', 4n * MINUTE + 10_500n * MILLISECOND],
    ['-2m3.4s', -(2n * MINUTE + 3_400n * MILLISECOND)],
    ['1s1s', 2n * SECOND],
    ['39h9m14.425s', 39n * HOUR + 9n * MINUTE + 14_425n * MILLISECOND],
    ['52763797000ns', 52_763_797_000n],
    ['0.3333333333333333333h', 20n * MINUTE],
    ['0.100000000000000000000h', 6n * MINUTE],
    ['0.830103483285477580700h', 2_988_372_539_827n],
    ['9007199254740993ns', 9_007_199_254_740_993n],
    ['9223372036854775807ns', MAX_DURATION],
    ['9223372036854775.807us', MAX_DURATION],
    ['-9223372036854775808ns', MIN_DURATION],
    ['-9223372036854775.808us', MIN_DURATION],
    ['0000000000000000000000000000007s', 7n * SECOND],
  ])('parses %s', (text, ns) => {
    expect(parseDuration(text)).toBe(ns);
  });

  test.each([
    ['', 'time: invalid duration ""'],
    ['x', 'time: invalid duration "x"'],
    ['-', 'time: invalid duration "-"'],
    ['--5s', 'time: invalid duration "--5s"'],
    ['.', 'time: invalid duration "."'],
    ['.s', 'time: invalid duration ".s"'],
    ['+.s', 'time: invalid duration "+.s"'],
    [' 5s', 'time: invalid duration " 5s"'],
    ['5', 'time: missing unit in duration "5"'],
    ['1m5', 'time: missing unit in duration "1m5"'],
    ['1.2.3s', 'time: missing unit in duration "1.2.3s"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['5 s', 'time: unknown unit " s" in duration "5 s"'],
    ['5s ', 'time: unknown unit "s " in duration "5s "'],
    ['1e3s', 'time: unknown unit "e" in duration "1e3s"'],
    ['5S', 'time: unknown unit "S" in duration "5S"'],
    ['1"', 'time: unknown unit "\\"" in duration "1\\""'],
    ['1é\n', 'time: unknown unit "\\xc3\\xa9\\x0a" in duration "1\\xc3\\xa9\\x0a"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['9223372036854775.808us', 'time: invalid duration "9223372036854775.808us"'],
    ['-9223372036854775809ns', 'time: invalid duration "-9223372036854775809ns"'],
    ['3000000h', 'time: invalid duration "3000000h"'],
    ['9223372036854775807s', 'time: invalid duration "9223372036854775807s"'],
    ['99999999999999999999', 'time: invalid duration "99999999999999999999"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });

  test('any text gives a duration within int64, or a HealthctlError', () => {
    const piece = fc.constantFrom(
      '1',
      '0',
      '9',
      '.',
      '-',
      '+',
      's',
      'm',
      'h',
      'ns',
      'us',
      'µs',
      'd',
      ' ',
      '"',
      '\u{1f600}',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          try {
            const ns = parseDuration(text);
            expect(ns >= MIN_DURATION && ns <= MAX_DURATION).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(HealthctlError);
          }
        },
      ),
    );
  });

  test('refuses a megabyte of digits quickly', () => {
    expect(() => parseDuration(`${'9'.repeat(1_000_000)}s`)).toThrow('invalid duration');
    expect(() => parseDuration('99999h'.repeat(100_000))).toThrow('invalid duration');
  });
});

describe('formatDuration', () => {
  test.each<[bigint, string]>([
    [0n, '0s'],
    [1n, '1ns'],
    [-1n, '-1ns'],
    [1_100n, '1.1µs'],
    [100_000n, '100µs'],
    [2_200_000n, '2.2ms'],
    [500n * MILLISECOND, '500ms'],
    [SECOND, '1s'],
    [4_500n * MILLISECOND, '4.5s'],
    [MINUTE, '1m0s'],
    [90n * SECOND, '1m30s'],
    [5n * MINUTE, '5m0s'],
    [HOUR, '1h0m0s'],
    [4n * MINUTE + 5_001n * MILLISECOND, '4m5.001s'],
    [5n * HOUR + 6n * MINUTE + 7_001n * MILLISECOND, '5h6m7.001s'],
    [8n * MINUTE + 1n, '8m0.000000001s'],
    [-90n * SECOND, '-1m30s'],
    [MAX_DURATION, '2562047h47m16.854775807s'],
    [MIN_DURATION, '-2562047h47m16.854775808s'],
  ])('formats %d ns', (ns, text) => {
    expect(formatDuration(ns)).toBe(text);
  });

  test('a formatted duration parses to itself', () => {
    const anyScale = fc.oneof(
      fc.bigInt({ min: MIN_DURATION, max: MAX_DURATION }),
      fc.bigInt({ min: -10_000n, max: 10_000n }),
      fc.integer({ min: -100_000, max: 100_000 }).map((ms) => BigInt(ms) * MILLISECOND),
    );
    fc.assert(
      fc.property(anyScale, (ns) => {
        expect(parseDuration(formatDuration(ns))).toBe(ns);
      }),
    );
  });
});

describe('milliseconds', () => {
  test('keep fractions and signs', () => {
    expect(millisecondsFromNanoseconds(1_500_000n)).toBe(1.5);
    expect(millisecondsFromNanoseconds(-1_500_000n)).toBe(-1.5);
    expect(millisecondsFromNanoseconds(30n * SECOND)).toBe(30_000);
    expect(nanosecondsFromMilliseconds(1.5)).toBe(1_500_000n);
    expect(nanosecondsFromMilliseconds(30_000)).toBe(30n * SECOND);
  });

  test('at the scale of wall time survive a round trip', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
        expect(millisecondsFromNanoseconds(nanosecondsFromMilliseconds(ms))).toBe(ms);
      }),
    );
  });
});
