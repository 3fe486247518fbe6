import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import {
  as,
  type Guard,
  isBoolean,
  isCount,
  isDate,
  isNumber,
  isObject,
  isText,
  itemsIn,
  listOf,
  mapOf,
  objectIn,
  objectOf,
  oneOf,
  optional,
  parseJsonText,
  textMapIn,
  textsIn,
} from './shape.ts';

const isPort = objectOf({ host: isText, port: isCount, protocol: oneOf(['tcp', 'udp']), note: optional(isText) });

test.each<[string, Guard<unknown>, readonly unknown[], readonly unknown[]]>([
  ['isText', isText, ['', 'a'], [1, null, undefined, ['a']]],
  ['isNumber', isNumber, [0, -1.5], ['1', 1n, null]],
  ['isBoolean', isBoolean, [true, false], [0, 'true', null]],
  ['isCount', isCount, [0, 7], [-1, 1.5, 2 ** 60, '1', Number.NaN]],
  ['isDate', isDate, ['2026-01-01T00:00:00.123456789+01:00'], ['', 'yesterday', 0, null]],
  ['isObject', isObject, [{}, { a: 1 }], [[], null, 'a', undefined]],
  ['oneOf', oneOf(['a', 'b']), ['a', 'b'], ['c', '', null]],
  ['listOf', listOf(isText), [[], ['a']], [['a', 1], {}, 'a', null]],
  ['mapOf', mapOf(isText), [{}, { a: 'b' }], [{ a: 1 }, ['a'], null]],
  [
    'objectOf',
    isPort,
    [
      { host: '', port: 1, protocol: 'tcp' },
      { host: '', port: 1, protocol: 'udp', note: 'x', more: [1] },
    ],
    [
      { host: '', port: 1 },
      { host: '', port: '1', protocol: 'tcp' },
      { host: '', port: 1, protocol: 'tcp', note: null },
      [],
      null,
    ],
  ],
])('%s', (_, guard, good, bad) => {
  expect(good.filter((value) => !guard(value))).toEqual([]);
  expect(bad.filter((value) => guard(value))).toEqual([]);
});

test('the type of an object has the fields of its guard', () => {
  const port = as(isPort, { host: 'a', port: 80, protocol: 'tcp' });
  expectTypeOf(port).toExtend<
    | {
        readonly host: string;
        readonly port: number;
        readonly protocol: 'tcp' | 'udp';
        readonly note?: string;
      }
    | undefined
  >();
  expect(port?.host).toBe('a');
  expect(as(isPort, {})).toBeUndefined();
});

test('takes the valid part of a value that is partly invalid', () => {
  expect(objectIn([1])).toEqual({});
  expect(itemsIn({ 0: 'a' })).toEqual([]);
  expect(textsIn(['a', 1, 'b'])).toEqual(['a', 'b']);
  expect(textMapIn({ a: 'b', c: 1 })).toEqual({ a: 'b' });
  expect(textMapIn(['a'])).toEqual({});
});

test('an invalid JSON text has no value', () => {
  expect([parseJsonText('[1]'), parseJsonText('null'), parseJsonText('{'), parseJsonText(undefined)]).toEqual([
    [1],
    null,
    undefined,
    undefined,
  ]);
});

test('no guard throws', () => {
  fc.assert(fc.property(fc.anything(), (value) => void [isPort(value), mapOf(isText)(value), textMapIn(value)]));
});
