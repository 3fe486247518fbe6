import { expect, test } from 'vitest';
import { goStructOf } from '../go-struct.ts';
import { execWishFrom } from './exec-request.ts';

const NEWEST = { major: 1, minor: 51 };
const wishOf = (body: object, version = NEWEST) => execWishFrom(goStructOf({ ...body }), version);

test('an empty value counts as none', () => {
  expect(wishOf({ Cmd: ['sh', '-c', 'date'], User: '', WorkingDir: '', Env: null, DetachKeys: '' })).toMatchObject({
    program: { args: ['sh', '-c', 'date'], env: [], privileged: false, terminal: false },
    attach: { stdin: false, stdout: false, stderr: false },
    hasDetachKeys: false,
  });
  expect(wishOf({ Cmd: ['id'], User: '', WorkingDir: '' }).program).not.toHaveProperty('user');
});

test('all that can be given', () => {
  const body = { Cmd: ['id'], User: '1:2', WorkingDir: '/tmp', Env: ['A=b'], Privileged: true, Tty: true };
  expect(wishOf({ ...body, AttachStdin: true, DetachKeys: 'ctrl-a', ConsoleSize: [24, 80] })).toEqual({
    program: { args: ['id'], env: ['A=b'], user: '1:2', cwd: '/tmp', privileged: true, terminal: true },
    attach: { stdin: true, stdout: false, stderr: false },
    detachKeys: [1],
    hasDetachKeys: true,
    size: { height: 24, width: 80 },
  });
});

test.each([
  ['without a terminal', { ConsoleSize: [24, 80] }, NEWEST],
  ['before API 1.42', { ConsoleSize: [24, 80], Tty: true }, { major: 1, minor: 41 }],
  ['of another form', { ConsoleSize: [24, '80'], Tty: true }, NEWEST],
])('a size is ignored %s', (_, body, version) => {
  expect(wishOf({ Cmd: ['id'], ...body }, version).size).toBeUndefined();
});

test.each([
  [{}, 'No exec command specified'],
  [{ Cmd: [] }, 'No exec command specified'],
  [{ Cmd: 'date' }, 'invalid JSON: json: cannot unmarshal string into Go struct field .Cmd of type []string'],
  [{ Cmd: ['id'], DetachKeys: 'zz' }, 'Invalid escape keys (zz) provided'],
])('%j is refused', (body, message) => {
  expect(() => wishOf(body)).toThrow(message);
});
