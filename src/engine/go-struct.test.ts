import { expect, test } from 'vitest';
import { goStructOf } from './go-struct.ts';

const body = goStructOf({
  image: 'web',
  Cmd: 'one word',
  Env: ['A=b', null],
  Labels: { a: 'b', c: null },
  ExposedPorts: { '80/tcp': {} },
  Nothing: null,
  HostConfig: { Memory: 1024, Huge: 9223372036854775807n, Mounts: [{ Type: 'bind' }, null] },
  EndpointsConfig: { net: { Aliases: ['x'] }, other: null },
});

test('keys in any case, null as absent, and zero values', () => {
  expect([body.text('Image'), body.text('User'), body.text('Nothing'), body.flag('Tty')]).toEqual([
    'web',
    '',
    '',
    false,
  ]);
  expect(body.texts('Nothing')).toBeUndefined();
  expect(body.struct('Nothing')).toBeUndefined();
  expect(body.int('Nothing')).toBeUndefined();
});

test('lists, maps and structs', () => {
  expect(body.words('Cmd')).toEqual(['one word']);
  expect(body.texts('Env')).toEqual(['A=b', '']);
  expect(body.textMap('Labels')).toEqual({ a: 'b', c: '' });
  expect(body.keys('ExposedPorts')).toEqual(['80/tcp']);
  const host = body.struct('HostConfig');
  expect([host?.int('Memory'), host?.int('Huge')]).toEqual([1024, 2 ** 63]);
  expect(host?.structs('Mounts')?.map((mount) => mount.text('Type'))).toEqual(['bind', '']);
  const endpoints = body.structMap('EndpointsConfig');
  expect([...(endpoints ?? [])].map(([name, one]) => [name, one?.texts('Aliases')])).toEqual([
    ['net', ['x']],
    ['other', undefined],
  ]);
});

test.each<[value: unknown, read: (struct: ReturnType<typeof goStructOf>) => unknown, message: string]>([
  [1, (s) => s.text('X'), 'cannot unmarshal number into Go struct field .X of type string'],
  ['x', (s) => s.flag('X'), 'cannot unmarshal string into Go struct field .X of type bool'],
  ['1', (s) => s.int('X'), 'cannot unmarshal string into Go struct field .X of type int64'],
  [1.5, (s) => s.int('X', 'int'), 'cannot unmarshal number 1.5 into Go struct field .X of type int'],
  [2n ** 63n, (s) => s.int('X'), 'cannot unmarshal number 9223372036854775808 into Go struct field .X of type int64'],
  [1.5, (s) => s.text('X'), 'cannot unmarshal number into Go struct field .X of type string'],
  ['x', (s) => s.texts('X'), 'cannot unmarshal string into Go struct field .X of type []string'],
  [[1], (s) => s.texts('X'), 'cannot unmarshal number into Go struct field .X of type string'],
  [{}, (s) => s.words('X'), 'cannot unmarshal object into Go value of type string'],
  [[1], (s) => s.words('X'), 'cannot unmarshal array into Go value of type string'],
  [[], (s) => s.textMap('X'), 'cannot unmarshal array into Go struct field .X of type map[string]string'],
  [true, (s) => s.keys('X'), 'cannot unmarshal bool into Go struct field .X of type map[string]struct {}'],
  ['x', (s) => s.struct('X'), 'cannot unmarshal string into Go struct field .X of type X'],
  [{ Y: 1 }, (s) => s.struct('X')?.text('Y'), 'cannot unmarshal number into Go struct field .X.Y of type string'],
])('%s is refused in words of Go', (value, read, message) => {
  expect(() => read(goStructOf({ X: value }))).toThrow(`invalid JSON: json: ${message}`);
});
