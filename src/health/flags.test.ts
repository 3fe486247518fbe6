import { describe, expect, test } from 'vitest';
import { AUTHORITY } from '../../testbed/certificates.ts';
import { type HealthFlags, healthConfigFromFlags } from './flags.ts';

const flags = (given: Partial<HealthFlags>): HealthFlags => ({ noHealthcheck: false, ...given });
const from = (given: Partial<HealthFlags>) => healthConfigFromFlags(flags(given));

describe('healthConfigFromFlags', () => {
  test.each<[Partial<HealthFlags>, ReturnType<typeof from>]>([
    [{}, undefined],
    [{ cmd: '', retries: 0, intervalNs: 0n }, undefined],
    [{ cmd: 'true' }, { test: ['CMD-SHELL', 'true'] }],
    [{ cmd: '["pg_isready","-q"]' }, { test: ['CMD', 'pg_isready', '-q'] }],
    [{ cmd: '[ -f /ready ]' }, { test: ['CMD-SHELL', '[ -f /ready ]'] }],
    [{ cmd: '[1]' }, { test: ['CMD-SHELL', '[1]'] }],
    [
      { intervalNs: 1_000_000n, retries: 2 },
      { intervalNs: 1e6, retries: 2 },
    ],
    [
      { cmd: 'true', exec: 'resident', reap: true },
      { test: ['CMD-SHELL', 'true'], exec: 'resident', reap: true },
    ],
    [{ noHealthcheck: true }, { test: ['NONE'] }],
    [{ noHealthcheck: true, cmd: '', retries: 0 }, { test: ['NONE'] }],
    [{ http: 'http://localhost/' }, { test: ['HTTP', 'http://localhost/'] }],
    [
      { http: 'https://a/', httpHeaders: ['A: b'], httpStatus: '200', httpVerify: true },
      { test: ['HTTP', 'https://a/', 'header=A: b', 'status=200', 'verify=true'] },
    ],
    [{ http: 'https://a/', httpCa: AUTHORITY }, { test: ['HTTP', 'https://a/', `ca=${AUTHORITY}`] }],
    [
      { grpc: 'a:1', grpcTls: true, grpcCa: AUTHORITY, grpcVerify: true, grpcAuthority: 'b' },
      { test: ['GRPC', 'a:1', 'tls=true', `ca=${AUTHORITY}`, 'verify=true', 'authority=b'] },
    ],
    [{ tcp: 'db:5432' }, { test: ['TCP', 'db:5432'] }],
    [{ grpc: 'localhost:1/my.Service' }, { test: ['GRPC', 'localhost:1', 'my.Service'] }],
    [{ cmd: 'true', http: '', tcp: '', grpc: '', httpStatus: '' }, { test: ['CMD-SHELL', 'true'] }],
  ])('the config from flags %o', (given, expected) => {
    expect(from(given)).toEqual(expected);
  });

  test.each<[Partial<HealthFlags>, string, number | undefined]>([
    [{ cmd: 'true', exec: 'slow' }, '--health-exec must be one of fresh, resident', 125],
    [{ noHealthcheck: true, cmd: 'true' }, '--no-healthcheck conflicts with --health-* options', 125],
    [{ noHealthcheck: true, retries: -1 }, '--no-healthcheck conflicts with --health-* options', 125],
    [{ noHealthcheck: true, tcp: 'a:1' }, '--no-healthcheck conflicts with --health-* options', 125],
    [{ noHealthcheck: true, httpVerify: true }, '--no-healthcheck conflicts with --health-* options', 125],
    [
      { cmd: 'true', grpc: 'a:1' },
      'only one of --health-cmd, --health-http, --health-tcp and --health-grpc may be given',
      125,
    ],
    [{ tcp: 'a:1', httpHeaders: ['A: b'] }, '--health-http-header needs --health-http', 125],
    [{ httpStatus: '200' }, '--health-http-status needs --health-http', 125],
    [{ cmd: 'true', httpVerify: true }, '--health-http-verify needs --health-http', 125],
    [{ cmd: 'true', httpCa: AUTHORITY }, '--health-http-ca needs --health-http', 125],
    [{ http: 'http://a/', httpCa: AUTHORITY }, '--health-http: ca= is for https:// alone', 125],
    [{ grpcTls: true }, '--health-grpc-tls needs --health-grpc', 125],
    [{ grpc: 'a:1', grpcVerify: true }, '--health-grpc-verify needs --health-grpc-tls', 125],
    [{ grpc: 'a:1', grpcCa: AUTHORITY }, '--health-grpc-ca needs --health-grpc-tls', 125],
    [{ tcp: 'a:1', grpcAuthority: 'b' }, '--health-grpc-authority needs --health-grpc', 125],
    [{ noHealthcheck: true, grpcTls: true }, '--no-healthcheck conflicts with --health-* options', 125],
    [{ intervalNs: -1n, timeoutNs: -1n }, '--health-interval cannot be negative', 125],
    [{ timeoutNs: -1n, retries: -1 }, '--health-timeout cannot be negative', 125],
    [{ retries: -1, startPeriodNs: -1n }, '--health-retries cannot be negative', 125],
    [{ startPeriodNs: -1n, startIntervalNs: -1n }, '--health-start-period cannot be negative', 125],
    [{ startIntervalNs: -1n, intervalNs: 1n }, '--health-start-interval cannot be negative', 125],
    [{ intervalNs: 999_999n, timeoutNs: 1n }, 'Interval in Healthcheck cannot be less than 1ms', undefined],
    [{ timeoutNs: 999_999n }, 'Timeout in Healthcheck cannot be less than 1ms', undefined],
    [{ startPeriodNs: 1n }, 'StartPeriod in Healthcheck cannot be less than 1ms', undefined],
    [{ startIntervalNs: 1n }, 'StartInterval in Healthcheck cannot be less than 1ms', undefined],
  ])('refuses the flags %o', (given, message, exitCode) => {
    expect(() => from(given)).toThrow(expect.objectContaining({ code: 'INVALID', message, exitCode }));
  });
});
