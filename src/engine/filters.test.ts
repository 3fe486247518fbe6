import { expect, test } from 'vitest';
import { filterTextsOf, parseFilters, refuseOtherKeys } from './filters.ts';

test('both forms are read alike', () => {
  const wanted = [
    ['label', ['a=b', 'c']],
    ['health', ['healthy']],
  ];
  const flags = '{"label":{"a=b":true,"c":true},"health":{"healthy":true}}';
  const lists = '{"label":["a=b","c"],"health":["healthy"]}';
  expect([...parseFilters(flags)]).toEqual(wanted);
  expect([...parseFilters(lists)]).toEqual(wanted);
  expect(filterTextsOf(parseFilters(lists))).toEqual(['label=a=b', 'label=c', 'health=healthy']);
});

test.each(['', '{}'])('%j is no filter', (text) => {
  expect(parseFilters(text).size).toBe(0);
});

test.each(['health=healthy', '[]', '"a"', '{"label":{"a":true},"health":["x"]}', '{"label":"a"}', '{"label":[1]}'])(
  '%s is refused',
  (text) => {
    expect(() => parseFilters(text)).toThrow('invalid filter');
  },
);

test('an unknown key is named', () => {
  expect(() => refuseOtherKeys(parseFilters('{"nosuch":["x"]}'), ['label'])).toThrow("invalid filter 'nosuch'");
});
