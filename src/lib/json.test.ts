import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeJson, encodeJson } from './json.ts';

test('an integer beyond 2^53 survives parsing and writing', () => {
  const text = '{"hard":18446744073709551615,"soft":-9223372036854775808,"small":12345678,"safe":9007199254740991}';
  expect(decodeJson(text)).toEqual({
    hard: 2n ** 64n - 1n,
    soft: -(2n ** 63n),
    small: 12345678,
    safe: Number.MAX_SAFE_INTEGER,
  });
  expect(encodeJson(decodeJson(text))).toBe(text);
});

test('digits in strings, keys, fractions and exponents do not change', () => {
  const text = '{"18446744073709551615":"18446744073709551615","a":["\\"18446744073709551615",0.12345678901234567]}';
  expect(decodeJson(text)).toEqual(JSON.parse(text));
  expect(decodeJson('[12345678901234567e2]')).toEqual(JSON.parse('[12345678901234567e2]'));
});

test('text that looks like our own markers stays text', () => {
  const hostile = ['\uE0F1i5', '\uE0F1s', '\uE0F1', 'x\uE0F1i5'];
  const integer = '"n":18446744073709551615';
  expect(decodeJson(`{"list":${JSON.stringify(hostile)},${integer}}`)).toEqual({ list: hostile, n: 2n ** 64n - 1n });
  expect(decodeJson(`{"a":"\\ue0f1i5","\uE0F1i5":1,${integer}}`)).toEqual({
    a: '\uE0F1i5',
    '\uE0F1i5': 1,
    n: 2n ** 64n - 1n,
  });
});

test('invalid JSON is CORRUPT', () => {
  for (const text of ['', '{', '[18446744073709551615', 'undefined', '18446744073709551615x']) {
    expect(() => decodeJson(text)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  }
});

test('a text that is no JSON takes no longer than one that is', () => {
  const long = 'a'.repeat(100_000);
  for (const text of [
    `["${long}\\\n",1234567890123456]`,
    `[1234567890123456,"${long}`,
    `[1234567890123456,${'"\\'.repeat(50_000)}`,
  ])
    expect(() => decodeJson(text)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
});

test('a document with long integers may be nested deeper than the stack', () => {
  const depth = 100_000;
  let value = decodeJson(`${'['.repeat(depth)}1234567890123456789${']'.repeat(depth)}`);
  while (Array.isArray(value)) value = value[0];
  expect(value).toBe(1234567890123456789n);
});

test('so may one that is written', () => {
  const depth = 100_000;
  const text = `${'[{"a":'.repeat(depth)}1234567890123456789${'}]'.repeat(depth)}`;
  expect(encodeJson(decodeJson(text)) === text).toBe(true);
});

test('undefined members are omitted and undefined items are null, as with JSON.stringify', () => {
  const value = { a: undefined, b: [undefined, 1], c: null, d: { e: undefined } };
  expect(encodeJson(value)).toBe(JSON.stringify(value));
  expect(encodeJson(undefined)).toBe('null');
});

test('property: every JSON text survives, with and without long integers', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.bigInt({ min: 2n ** 60n, max: 2n ** 64n - 1n }), (value, long) => {
      const text = JSON.stringify(value);
      expect(encodeJson(decodeJson(text))).toBe(text);
      const withLong = `{"a":${text},"long":${long}}`;
      expect(encodeJson(decodeJson(withLong))).toBe(withLong);
    }),
  );
});
