import { expect, test } from 'vitest';
import { attributesText, logAttributesFrom } from './log-attributes.ts';

const source = {
  labels: { LABEL: 'bar', 'com.example.a': '1', other: 'x' },
  env: ['ENV=foo', 'EMPTY=', 'A=b=c', '=x'],
};

test.each([
  [{}, {}],
  [
    { labels: 'LABEL,missing', env: 'ENV' },
    { LABEL: 'bar', ENV: 'foo' },
  ],
  [{ 'labels-regex': '^com[.]' }, { 'com.example.a': '1' }],
  [
    { 'env-regex': '^(A|EMPTY)$', labels: 'other' },
    { other: 'x', EMPTY: '', A: 'b=c' },
  ],
  [{ labels: '', env: ',' }, {}],
])('reads the attributes for %j', (options, expected) => {
  expect(logAttributesFrom(options, source)).toEqual(expected);
});

test('refuses an expression that does not compile', () => {
  expect(() => logAttributesFrom({ 'env-regex': '(' }, source)).toThrow(
    expect.objectContaining({ code: 'INVALID', message: expect.stringContaining('log opt env-regex: ') }),
  );
});

test("shows attributes in Docker's form", () => {
  expect(attributesText({ b: "a b,c=d(!)'*", a: 'é~-_.' })).toBe('a=%C3%A9~-_.,b=a+b%2Cc%3Dd%28%21%29%27%2A');
  expect(attributesText({})).toBe('');
});
