import { expect, test } from 'vitest';
import { parseArguments } from '../grammar/parse.ts';
import { healthFlagsFrom, healthOptionSpecs } from './health.ts';

const flags = async (...argv: string[]) =>
  healthFlagsFrom(parseArguments(healthOptionSpecs, argv).options, new AbortController().signal);

test('an option that is not given is absent', async () => {
  expect(await flags()).toEqual({ noHealthcheck: false });
});

test('reads every health flag', async () => {
  expect(
    await flags(
      '--health-cmd=curl -f localhost',
      '--health-interval=1m30s',
      '--health-timeout',
      '500ms',
      '--health-start-period=-1s',
      '--health-start-interval=0',
      '--health-retries=-2',
      '--no-healthcheck',
    ),
  ).toEqual({
    cmd: 'curl -f localhost',
    intervalNs: 90_000_000_000n,
    timeoutNs: 500_000_000n,
    startPeriodNs: -1_000_000_000n,
    startIntervalNs: 0n,
    retries: -2,
    noHealthcheck: true,
  });
});

test('reads the flags of native checks', async () => {
  expect(
    await flags(
      '--health-http=http://localhost/',
      '--health-http-header=A: b',
      '--health-http-header=C: d, e',
      '--health-http-status=200-299',
      '--health-http-verify',
      '--health-tcp=db:1',
      '--health-grpc=a:1/b',
      '--health-grpc-authority=c:443',
      '--health-grpc-tls',
      '--health-grpc-verify',
      '--health-grpc-ca=',
      '--health-http-ca=',
    ),
  ).toEqual({
    http: 'http://localhost/',
    httpHeaders: ['A: b', 'C: d, e'],
    httpStatus: '200-299',
    httpVerify: true,
    tcp: 'db:1',
    grpc: 'a:1/b',
    grpcAuthority: 'c:443',
    grpcTls: true,
    grpcVerify: true,
    noHealthcheck: false,
  });
});

test.each([
  ['--health-http=localhost', '"localhost" does not begin with http:// or https://'],
  ['--health-http-header=x', '"x" is not a header'],
  ['--health-http-status=2xx', '"2xx" is not a range of statuses'],
  ['--health-tcp=db', '"db" is not HOST:PORT'],
  ['--health-grpc=db/x', '"db" is not HOST:PORT'],
  ['--health-grpc-authority=a b', '"a b" is not a name'],
])('refuses %s while it parses it', (flag, reason) => {
  return expect(flags(flag)).rejects.toThrow(reason);
});
