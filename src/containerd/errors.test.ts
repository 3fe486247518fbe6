import { describe, expect, test } from 'vitest';
import { translateRpcError } from './errors.ts';

const failure = (code: number, details: string) => Object.assign(new Error(`${code}: ${details}`), { code, details });
const translate = (code: number, details: string) => translateRpcError(failure(code, details), '/run/c.sock', 'Get');
const translateErrno = (errno: string) =>
  translateRpcError(Object.assign(failure(14, `connect ${errno} /run/c.sock`), { errno }), '/run/c.sock', 'Get');

describe('translateRpcError', () => {
  test.each([
    [5, 'container "x" in namespace "y": not found', 'NOT_FOUND'],
    [6, 'exists', 'ALREADY_EXISTS'],
    [9, 'no', 'CONFLICT'],
    [3, 'bad', 'INVALID'],
    [2, 'OCI runtime create failed', 'RUNTIME'],
    [8, 'too much', 'EXHAUSTED'],
  ])("code %d keeps containerd's message", (code, details, expected) => {
    expect(translate(code, details)).toMatchObject({ code: expected, message: details });
  });
  test('a missing, refused or forbidden socket gives an error with advice', () => {
    expect(translateErrno('ENOENT')).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('no socket at /run/c.sock'),
      hint: expect.stringContaining('--address'),
    });
    expect(translateErrno('ECONNREFUSED')).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('/run/c.sock'),
      hint: 'is containerd running?',
    });
    expect(translateErrno('EACCES')).toMatchObject({
      code: 'DENIED',
      hint: expect.stringContaining('root'),
    });
  });
  test("a plugin that containerd cannot reach is not mistaken for containerd's own socket", () => {
    for (const reason of ['permission denied', 'ENOENT'])
      expect(translate(14, `dial unix /run/plugin.sock: ${reason}`)).toMatchObject({
        code: 'UNAVAILABLE',
        message: `cannot connect to containerd at /run/c.sock: dial unix /run/plugin.sock: ${reason}`,
      });
  });
  test('after a shim died, the result of the call is unknown', () => {
    expect(translate(2, 'ttrpc: closed: unknown')).toMatchObject({ code: 'UNKNOWN', hint: expect.any(String) });
  });
  test('a full disk has a code of its own', () => {
    expect(translate(2, 'write /x: no space left on device: unknown')).toMatchObject({
      code: 'EXHAUSTED',
      hint: expect.any(String),
    });
  });
  test('our own cancellation is no failure of containerd', () => {
    expect(translateRpcError(failure(1, 'Cancelled'), '/s', 'Get', AbortSignal.abort())).toMatchObject({
      code: 'ABORTED',
    });
    expect(translateRpcError(failure(4, 'Deadline exceeded'), '/s', 'Get')).toMatchObject({ code: 'TIMEOUT' });
  });
});
