import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goField } from './go-fields.ts';

// The expected values are from Go 1.26: json.Unmarshal into struct{ Test []string; Interval int; Config *struct{ A, B
// int } }.
test.each<[string, string, unknown]>([
  ['{"test":["a"]}', 'Test', ['a']],
  ['{"TEST":["a"]}', 'Test', ['a']],
  ['{"te\u017ft":["a"]}', 'Test', ['a']],
  ['{"Test":["a"],"test":["b"]}', 'Test', ['b']],
  ['{"test":["a"],"Test":["b"]}', 'Test', ['b']],
  ['{"Test":["a"],"test":null}', 'Test', undefined],
  ['{"Interval":5,"interval":null}', 'Interval', 5],
  ['{"Config":{"A":1},"config":{"B":2}}', 'Config', { A: 1, B: 2 }],
  ['{"Config":{"A":1},"config":null}', 'Config', undefined],
  ['{"Test ":["a"],"_test":["b"],"T\u00e9st":["c"]}', 'Test', undefined],
  ['{"__proto__":{"Test":["a"]}}', 'Test', undefined],
])('%s: %s', (json, name, expected) => {
  expect(goField(JSON.parse(json), name)).toEqual(expected);
});

test('finds the field of a key in any case', () => {
  const cases = fc.array(fc.boolean(), { minLength: 11, maxLength: 11 });
  fc.assert(
    fc.property(fc.constantFrom('Healthcheck', 'Test', 'StartPeriod'), cases, (name, upper) => {
      const key = [...name].map((letter, at) => (upper[at] ? letter.toUpperCase() : letter.toLowerCase())).join('');
      expect(goField({ [key]: 1 }, name)).toBe(1);
    }),
  );
});
