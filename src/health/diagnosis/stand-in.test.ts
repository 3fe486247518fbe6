import { expect, test } from 'vitest';
import { checkConfigOf, checkKindOf } from '../config.ts';
import { nativeOptions } from './native-options.ts';
import { reasonOf } from './reason.ts';
import { standInFor } from './stand-in.ts';

const shell = (text: string) => standInFor(['/bin/sh', '-c', text])?.options;

test.each([
  ['a part that the shell expands', 'curl -f http://localhost/$PAGE'],
  ['a proxy', 'curl -x http://proxy:3128 http://localhost/'],
  ['a Unix socket', 'curl --unix-socket /run/a.sock http://localhost/'],
  ['several ports', 'nc -z localhost 80 81'],
])('no native check stands in for %s', (_what, text) => expect(shell(text)).toBeUndefined());

test('a native check stands in for a command under timeout', () =>
  expect(shell('timeout 5 curl -f http://localhost/')).toEqual(['--health-http', 'http://localhost/']));

test.each([
  ['true', ['--health-grpc', 'localhost:50051', '--health-grpc-tls']],
  ['false', ['--health-grpc', 'localhost:50051']],
])('a gRPC check without a service keeps tls=%s', (tls, expected) => {
  const config = checkConfigOf({ test: ['GRPC', 'localhost:50051', `tls=${tls}`] });
  expect(config && nativeOptions(config)).toEqual(expected);
});

test.each([
  ['true', ['--health-http', 'https://localhost/', '--health-http-verify']],
  ['false', ['--health-http', 'https://localhost/']],
])('an HTTP check keeps verify=%s', (verify, expected) => {
  const config = checkConfigOf({ test: ['HTTP', 'https://localhost/', `verify=${verify}`] });
  expect(config && nativeOptions(config)).toEqual(expected);
});

test.each([
  ['a status that is no failure', 'HTTP/1.1 200 OK\nnot ready'],
  ['what comes after the beginning of a long output', `${'x'.repeat(5_000)}\nconnection refused`],
])('%s is no reason', (_what, output) => {
  const result = { start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:00:01Z', exitCode: 1, output };
  expect(reasonOf(result, checkKindOf(['CMD', 'curl', 'http://localhost/']))).toEqual({ kind: 'other', exitCode: 1 });
});
