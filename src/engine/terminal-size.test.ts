import { expect, test } from 'vitest';
import { queryOf } from './query.ts';
import { terminalSizeFrom } from './terminal-size.ts';

test('rows and columns', () => {
  expect(terminalSizeFrom(queryOf('h=10&w=20'))).toEqual({ height: 10, width: 20 });
});

test.each([
  ['', 'height "": invalid syntax'],
  ['h=x&w=20', 'height "x": invalid syntax'],
  ['h=-1&w=20', 'height "-1": value out of range'],
  ['h=1&w=99999999999', 'width "99999999999": value out of range'],
  ['h=1&w=1.5', 'width "1.5": invalid syntax'],
])('%j is refused in the words of Docker', (search, text) => {
  expect(() => terminalSizeFrom(queryOf(search))).toThrow(`invalid resize ${text}`);
});
