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

test.each(['{"a":', '['])('nesting has a limit: %s', (opening) => {
  const nested = (depth: number, text = opening.repeat(depth)) => text;
  expect(() => parseJsonBody(nested(1_001))).toThrow('invalid JSON: exceeded max depth');
  expect(() => parseJsonBody(nested(1_000_000))).toThrow('invalid JSON: exceeded max depth');
  expect(() => parseJsonBody(nested(1_000))).toThrow('invalid JSON: unexpected EOF');
});

test('the deepest nesting that is allowed is read', () => {
  const depth = 999;
  const text = `{"a":${'['.repeat(depth)}1234567890123456789${']'.repeat(depth)}}`;
  expect(() => parseJsonBody(text)).not.toThrow();
});

test('any text is an object, or refused in words', () => {
  const piece = fc.constantFrom(
    ...'{}[]",:\\\n0-.e tfn'.split(''),
    '"a"',
    'null',
    '1234567890123456',
    '\\u12',
    '\uE0F1i5',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        expect(typeof parseJsonBody(text)).toBe('object');
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID' });
      }
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
  ['true', 'invalid JSON: json: cannot unmarshal bool into Go value'],
  ['1.5', 'invalid JSON: json: cannot unmarshal number into Go value'],
  ['12345678901234567890', 'invalid JSON: json: cannot unmarshal number into Go value'],
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
