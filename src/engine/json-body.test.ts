import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkJsonType, parseJsonBody } from './json-body.ts';

test('any object is read back', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string(),
        fc.jsonValue().filter((value) => !/\d{16}/.test(JSON.stringify(value))),
      ),
      (object) => {
        expect(parseJsonBody(` ${JSON.stringify(object)}\n`)).toEqual(JSON.parse(JSON.stringify(object)));
      },
    ),
  );
});

test('a text that was cut anywhere ends too early, or is empty', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (object, at) => {
      const text = JSON.stringify(object);
      const cut = text.slice(0, at % text.length);
      expect(() => parseJsonBody(cut)).toThrow(
        cut === '' ? 'invalid JSON: got EOF while reading request body' : 'invalid JSON: unexpected EOF',
      );
    }),
  );
});

test.each([
  ['{"Name":"a"}{"Name":"b"}', 'unexpected content after JSON'],
  ['{"Name":"a"} x', 'unexpected content after JSON'],
  ['Image=web', "invalid JSON: invalid character 'I' looking for beginning of value"],
  ['{Image:1}', "invalid JSON: invalid character 'I' looking for beginning of object key string"],
  ['[1]', 'invalid JSON: json: cannot unmarshal array into Go value'],
  ['"text"', 'invalid JSON: json: cannot unmarshal string into Go value'],
  ['', 'invalid JSON: got EOF while reading request body'],
])('%s is refused', (text, message) => {
  expect(() => parseJsonBody(text)).toThrow(message);
});

test('null is an empty object, as in Go', () => {
  expect(parseJsonBody('null')).toEqual({});
});

test('a number beyond the precision of a double stays exact', () => {
  expect(parseJsonBody('{"Memory":9223372036854775807}')).toEqual({ Memory: 9223372036854775807n });
});

test.each([
  ['application/json', true, true],
  ['application/json; charset=utf-8', true, true],
  [undefined, false, true],
  [undefined, true, false],
  ['text/plain', true, false],
  ['text/plain', false, false],
])('type %s with a body: %s is accepted: %s', (contentType, hasBody, isAccepted) => {
  const check = () => checkJsonType({ contentType, hasBody });
  if (isAccepted) expect(check).not.toThrow();
  else expect(check).toThrow(`unsupported Content-Type header (${contentType ?? ''}): must be 'application/json'`);
});
