import { expect, test } from 'vitest';
import { queryOf } from './query.ts';

test.each([
  ['all=1', true],
  ['all=true', true],
  ['all=True', true],
  ['all=yes', true],
  ['all=0', false],
  ['all=false', false],
  ['all=False', false],
  ['all=none', false],
  ['all=', false],
  ['', false],
])('%s is %s', (search, value) => {
  expect(queryOf(search).flag('all')).toBe(value);
});

test('numbers, and what is none', () => {
  expect(queryOf('t=10').int('t')).toBe(10);
  expect(queryOf('t=-1').int('t')).toBe(-1);
  expect(queryOf('').int('t')).toBeUndefined();
  expect(() => queryOf('t=x').int('t')).toThrow('strconv.Atoi: parsing "x": invalid syntax');
});

test('a key given several times', () => {
  expect(queryOf('names=a&names=b%2Fc').all('names')).toEqual(['a', 'b/c']);
});
