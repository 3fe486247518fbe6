import { parse } from '@evertdespiegeleer/go-template';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { messageOf } from '../../lib/errors.ts';
import { GoFloat, type GoValue, parseTemplate } from './template.ts';
import { isAscii } from './unicode.ts';

// Compares with Go's own text/template, compiled to wasm. The oracle knows only JSON data, with every number a float64,
// has none of Docker's functions, and treats a missing key as an error.

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

declare global {
  var Render: (template: string, data: string) => string;
}

beforeAll(async () => {
  await parse('loads the module', {});
});

function withGo(template: string, data: Json): string {
  const output = globalThis.Render(template, JSON.stringify(data));
  if (!/^Template (exec|parse) error: /.test(output)) return comparable(output);
  return comparable(
    output
      .replace(/^Template (exec|parse) error: /, 'error: ')
      .replaceAll('tpl:', ':')
      .replaceAll('"tpl"', '""'),
  );
}

function withOurs(template: string, data: Json): string {
  try {
    return comparable(parseTemplate(template).execute(fromJson(data), { missingKeyIsError: true }));
  } catch (error) {
    return comparable(`error: ${messageOf(error)}`);
  }
}

/**
 * Removes types whose name differs from Go's. A list of strings is []string here, so that `join` accepts it, and
 * []interface {} in Go.
 */
function comparable(output: string): string {
  return output
    .replaceAll('[]string', '[]interface {}')
    .replaceAll('uint8', 'int')
    .replace(/(cannot index slice\/array with|can't evaluate field \w+ in type) .*/, '$1')
    .replace(/(syntax error scanning complex number|bad number syntax: .*)/, 'bad number')
    .replace('reflect: call of reflect.Value.Type on zero Value', 'len of nil pointer');
}

function fromJson(data: Json): GoValue {
  if (typeof data === 'number') return new GoFloat(data);
  if (Array.isArray(data)) return data.map(fromJson);
  if (data === null || typeof data !== 'object') return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, fromJson(value)]));
}

const leaf = fc.oneof(
  fc.constantFrom('', 'hello', 'a b', 'é"\'<&>', '日本', '0', 'true'),
  fc.constantFrom(0, 1, 2, -3, 2.5, 0.125, 1e6, 1e21, 1e-7, 123456.5),
  fc.boolean(),
  fc.constant(null),
);
const tree: fc.Arbitrary<Json> = fc.letrec<{ node: Json }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { maxKeys: 3 }),
  ),
})).node;
const data = fc.record({
  a: tree,
  b: tree,
  c: tree,
  s: fc.constantFrom('x', 'hello'),
  n: fc.constantFrom(1, 2.5),
  l: fc.array(tree, { maxLength: 4 }),
});

const verb = fc.constantFrom(
  '%v',
  '%s',
  '%d',
  '%q',
  '%t',
  '%f',
  '%5.2f',
  '%-6v|',
  '%06.1f',
  '%+v',
  '%g',
  '%e',
  '%.3g',
  '%%',
  '%5s',
  '%.1v',
  '%[2]v',
  '%z',
  '%',
);
const literal = fc.constantFrom(
  '1',
  '2.0',
  '-1',
  '0',
  '"x"',
  '`r`',
  "'c'",
  'true',
  'false',
  'nil',
  '0x10',
  '1e3',
  '"é\\n"',
  '1.5',
);
const path = fc.constantFrom(
  '.',
  '.a',
  '.b',
  '.c',
  '.a.b',
  '.b.c.a',
  '.s',
  '.n',
  '.l',
  '$',
  '$.a',
  '$.l',
  '$x',
  '.zz',
  '$.b.a',
);
const functionName = fc.constantFrom(
  'and',
  'or',
  'not',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'len',
  'index',
  'slice',
  'print',
  'println',
  'html',
  'js',
  'urlquery',
);

const { pipeline, list } = fc.letrec<{
  operand: string;
  command: string;
  pipeline: string;
  node: string;
  list: string;
}>((tie) => ({
  operand: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'operand' },
    { weight: 4, arbitrary: path },
    { weight: 3, arbitrary: literal },
    { weight: 1, arbitrary: tie('pipeline').map((inner) => `(${inner})`) },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('pipeline'), fc.constantFrom('a', 'b')).map(([inner, field]) => `(${inner}).${field}`),
    },
  ),
  command: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'operand' },
    { weight: 3, arbitrary: tie('operand') },
    {
      weight: 3,
      arbitrary: fc
        .tuple(functionName, fc.array(tie('operand'), { maxLength: 3 }))
        .map(([name, args]) => [name, ...args].join(' ')),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.array(verb, { maxLength: 3 }), fc.array(tie('operand'), { maxLength: 3 }))
        .map(([verbs, args]) => ['printf', `"${verbs.join(' ')}"`, ...args].join(' ')),
    },
  ),
  pipeline: fc.array(tie('command'), { minLength: 1, maxLength: 2 }).map((commands) => commands.join(' | ')),
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'node' },
    {
      weight: 2,
      arbitrary: fc.constantFrom(' text\n', 'é', '\n  ', '{{/* c */}}', '{{- /* c */ -}}', '{{break}}', '{{continue}}'),
    },
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom('{{', '{{- '), tie('pipeline'), fc.constantFrom('}}', ' -}}'))
        .map((parts) => parts.join('')),
    },
    { weight: 1, arbitrary: tie('pipeline').map((inner) => `{{$x := ${inner}}}`) },
    { weight: 1, arbitrary: tie('pipeline').map((inner) => `{{$x = ${inner}}}`) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom('if ', 'with ', 'range ', 'with $x := ', 'range $x := ', 'range $i, $x := ', 'if $x := '),
          tie('pipeline'),
          tie('list'),
          fc.constantFrom('', '{{else}}', '{{else if .a}}', '{{else with .b}}'),
          tie('list'),
        )
        .map(
          ([keyword, inner, body, or, other]) => `{{${keyword}${inner}}}${body}${or}${or === '' ? '' : other}{{end}}`,
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('pipeline'), tie('list'))
        .map(([inner, body]) => `{{define "t"}}${body}{{end}}{{template "t" ${inner}}}`),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('pipeline'), tie('list')).map(([inner, body]) => `{{block "u" ${inner}}}${body}{{end}}`),
    },
  ),
  list: fc.array(tie('node'), { maxLength: 3 }).map((nodes) => nodes.join('')),
}));
const whole = list.map((nodes) => `{{$x := 1}}{{$i := 0}}${nodes}`);

/**
 * Excludes complex numbers, which we do not support; templates that call themselves, which exhaust the oracle's stack;
 * and the name "", which is the whole template here but not in the oracle.
 */
function isComparable(template: string): boolean {
  return (
    !/[\w.]i\b/.test(template) &&
    !/\{\{template "t"[^}]*\}\}.*\{\{end\}\}\{\{template "t"/s.test(template) &&
    !/(?:define|block|template)\s*(?:""|``)/.test(template)
  );
}

/** Compares one case, unless the oracle cannot decide it. */
function expectSame(template: string, values: Json): void {
  fc.pre(!cutsCharacters(template, values) && !looksAtTypeNames(template, values));
  const ours = withOurs(template, values);
  // Go can slice a list up to its capacity, which depends on its allocation: at most 4 for the lists here. Ours ends at
  // the length.
  fc.pre(!/error calling slice: index out of range: [1-4]$/.test(ours));
  expect(ours).toBe(withGo(template, values));
}

/**
 * A string that is cut within a character has invalid UTF-8, which is U+FFFD here: the number and codes of its bytes
 * differ.
 */
function cutsCharacters(template: string, values: Json): boolean {
  return /\bslice\b/.test(template) && !isAscii(template + JSON.stringify(values));
}

/**
 * The types of strings in lists and of bytes of strings have other names than in Go, so no function may inspect the
 * output of printf.
 */
function looksAtTypeNames(template: string, values: Json): boolean {
  const looking: readonly string[] = template.match(/\b(?:printf|len|index|slice|urlquery|eq|ne|lt|le|gt|ge)\b/g) ?? [];
  if (looking.length < 2 || !looking.includes('printf')) return false;
  return hasStringInList(values) || (looking.length > 2 && looking.includes('index'));
}

function hasStringInList(data: Json): boolean {
  if (typeof data !== 'object' || data === null) return false;
  return Object.values(data).some((item) => (Array.isArray(data) && typeof item === 'string') || hasStringInList(item));
}

describe('gives the same output or error as Go', { timeout: 60_000 }, () => {
  test('for mostly valid templates', () => {
    fc.assert(
      fc.property(whole.filter(isComparable), data, (template, values) => {
        expectSame(template, values);
      }),
      { numRuns: 700 },
    );
  });

  test('for single pipelines', () => {
    fc.assert(
      fc.property(pipeline, data, (inner, values) => {
        expectSame(`{{${inner}}}`.replaceAll('$x', '$'), values);
      }),
      { numRuns: 1_200 },
    );
  });

  test('for broken templates', () => {
    const piece = fc.constantFrom(
      '{{',
      '}}',
      '{{-',
      '-}}',
      ' ',
      '(',
      ')',
      '|',
      '.',
      '.a',
      '$',
      '$x',
      ':=',
      '=',
      ',',
      '"',
      '`',
      "'",
      '1',
      '-',
      '/*',
      '*/',
      'if',
      'end',
      'else',
      'range',
      'with',
      'define',
      'template',
      'block',
      'nil',
      'len',
      'é',
      '!',
      '\n',
      'break',
      'foo',
      '"x"',
      '+',
      '0x',
      '1.5e',
      '_',
      '\\',
      '☺',
      '\u0001',
    );
    const soup = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const inAction = soup.map((inner) => `{{${inner}}}`);
    const damaged = fc
      .tuple(whole, fc.nat(), fc.nat({ max: 3 }), soup)
      .map(
        ([text, at, cut, extra]) =>
          text.slice(0, at % text.length) + extra.slice(0, 4) + text.slice((at % text.length) + cut),
      );
    fc.assert(
      fc.property(fc.oneof(soup, inAction, damaged).filter(isComparable), (template) => {
        expectSame(template, { a: 'A', l: [1], s: 's' });
      }),
      { numRuns: 1_500 },
    );
  });

  test('for floating point numbers', () => {
    const verbs = fc.constantFrom(
      '%v',
      '%g',
      '%e',
      '%f',
      '%.0f',
      '%.1f',
      '%.3f',
      '%.2e',
      '%.3g',
      '%.10g',
      '%8.2f',
      '%08.1f',
      '%+.1g',
      '%-9.3g|',
      '%.25f',
      '%G',
      '%x',
      '%X',
      '%b',
      '%.0x',
      '%.3x',
      '%.20X',
      '%+x',
      '%012x',
      '% b',
      '%#x',
      '%#X',
      '%#g',
      '%#.3g',
      '%#.0e',
      '%#.0f',
    );
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -4_000, max: 4_000 }).map((n) => n / 16),
    );
    fc.assert(
      fc.property(verbs, number, (text, value) => {
        fc.pre(!Object.is(value, -0));
        expect(withOurs(`{{printf "${text}" .}}`, value)).toBe(withGo(`{{printf "${text}" .}}`, value));
      }),
      { numRuns: 800 },
    );
  });

  test('for numbers in lists and maps, with any verb', () => {
    const verbs = fc.constantFrom('%0xv', '%x', '%X', '%b', '%d', '%e', '%6.1f', '%s', '%q', '%t', '%+v', '%c', '%#x');
    fc.assert(
      fc.property(verbs, fc.dictionary(fc.constantFrom('a', 'b', 'c'), tree, { maxKeys: 3 }), (text, value) => {
        expect(withOurs(`{{printf "${text}" .}}`, value)).toBe(withGo(`{{printf "${text}" .}}`, value));
      }),
      { numRuns: 800 },
    );
  });

  test('for verbs, flags, widths and argument indexes', () => {
    const piece = fc.constantFrom(
      '%',
      '[1]',
      '[2]',
      '[3]',
      '[',
      ']',
      '.',
      '*',
      '5',
      '2',
      '0',
      '-',
      '+',
      '#',
      ' ',
      'd',
      's',
      'v',
      'q',
      'x',
      'X',
      'c',
      'U',
      't',
      'T',
      'o',
      'b',
      'é',
      'a',
    );
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => `%${pieces.join('')}`);
    const args = fc.array(fc.constantFrom('1', '-42', '"hé"', "'x'", 'true', 'nil', '.', '0', '255'), { maxLength: 3 });
    fc.assert(
      fc.property(text, args, (format, operands) => {
        const template = `{{printf "${format}" ${operands.join(' ')}}}`;
        expect(withOurs(template, ['s', null])).toBe(withGo(template, ['s', null]));
      }),
      { numRuns: 1_500 },
    );
  });
});
