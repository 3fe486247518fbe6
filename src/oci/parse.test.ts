import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { parseCpus, parseEnv, parseLabel, parseSecurityOptions, parseSize, parseUlimit } from './parse.ts';

const usage = (message: string) => expect.objectContaining({ code: 'USAGE', message });

describe('sizes', () => {
  test.each([
    ['1024', 1024],
    ['0', 0],
    ['512m', 512 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['64MiB', 64 * 2 ** 20],
    ['64 MB', 64 * 2 ** 20],
    ['10b', 10],
    ['10 B', 10],
    ['1k', 1024],
    ['1KB', 1024],
    ['2t', 2 * 2 ** 40],
    ['1p', 2 ** 50],
    ['.5k', 512],
    ['1.k', 1024],
    ['1e3', 1000],
    ['0.3', 0],
    ['+5', 5],
  ])('reads %s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    ['x', "invalid size: 'x'"],
    ['', "invalid size: ''"],
    ['-5m', "invalid size: '-5m'"],
    ['5x', "invalid suffix: 'x'"],
    ['5Mo', "invalid suffix: 'mo'"],
    ['5bb', "invalid suffix: 'bb'"],
    ['5ib', "invalid suffix: 'ib'"],
    ['5e', "invalid suffix: 'e'"],
    ['1.2.3', 'strconv.ParseFloat: parsing "1.2.3": invalid syntax'],
    ['a5', 'strconv.ParseFloat: parsing "a5": invalid syntax'],
    ['1  m', 'strconv.ParseFloat: parsing "1 ": invalid syntax'],
    ['9999999p', "invalid size: '9999999p'"],
  ])('refuses %j: %s', (text, message) => expect(() => parseSize(text)).toThrow(usage(message)));
});

describe('CPUs', () => {
  test.each([
    ['1.5', 1.5e9],
    ['.5', 5e8],
    ['2', 2e9],
    ['1/2', 5e8],
    ['15e-1', 1.5e9],
    ['1E1', 1e10],
    ['0.000000001', 1],
    ['-1', -1e9],
    ['0', 0],
  ])('reads %s', (text, nano) => expect(parseCpus(text)).toBe(nano));

  test.each([
    ['many', 'failed to parse many as a rational number'],
    ['', 'failed to parse  as a rational number'],
    ['.', 'failed to parse . as a rational number'],
    ['e5', 'failed to parse e5 as a rational number'],
    ['1/0', 'failed to parse 1/0 as a rational number'],
    ['1e999999999', 'failed to parse 1e999999999 as a rational number'],
    ['0.0000000001', 'value is too precise'],
    ['1/3', 'value is too precise'],
  ])('refuses %j: %s', (text, message) => expect(() => parseCpus(text)).toThrow(usage(message)));
});

describe('ulimits', () => {
  const unlimited = 2n ** 64n - 1n;
  test.each([
    ['nofile=1024:2048', { type: 'RLIMIT_NOFILE', soft: 1024, hard: 2048 }],
    ['nproc=5', { type: 'RLIMIT_NPROC', soft: 5, hard: 5 }],
    ['core=-1', { type: 'RLIMIT_CORE', soft: unlimited, hard: unlimited }],
    ['memlock=1:-1', { type: 'RLIMIT_MEMLOCK', soft: 1, hard: unlimited }],
    ['fsize=9223372036854775807', { type: 'RLIMIT_FSIZE', soft: 2n ** 63n - 1n, hard: 2n ** 63n - 1n }],
  ])('reads %s', (text, limit) => expect(parseUlimit(text)).toEqual(limit));

  test.each([
    ['nofile', 'invalid ulimit argument: nofile'],
    ['as=5', 'invalid ulimit type: as'],
    ['nofile=', 'strconv.ParseInt: parsing "": invalid syntax'],
    ['nofile=a:b', 'strconv.ParseInt: parsing "b": invalid syntax'],
    ['nofile=9223372036854775808', 'strconv.ParseInt: parsing "9223372036854775808": value out of range'],
    ['nofile=2:1', 'ulimit soft limit must be less than or equal to hard limit: 2 > 1'],
    ['nofile=-1:5', 'ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 5'],
    ['nofile=1:2:3', 'too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`'],
  ])('refuses %s: %s', (text, message) => expect(() => parseUlimit(text)).toThrow(usage(message)));
});

describe('environment and labels', () => {
  test("a variable without a value gets the caller's value, or stays a name", () => {
    const own = { HOME: '/root', EMPTY: '' };
    expect(parseEnv('A=b=c', own)).toBe('A=b=c');
    expect(parseEnv('A=', own)).toBe('A=');
    expect(parseEnv('HOME', own)).toBe('HOME=/root');
    expect(parseEnv('EMPTY', own)).toBe('EMPTY=');
    expect(parseEnv('NONE', own)).toBe('NONE');
    expect(parseEnv('toString', own)).toBe('toString');
    expect(() => parseEnv('=x', own)).toThrow(usage('invalid environment variable: =x'));
    expect(() => parseEnv('', own)).toThrow(usage('invalid environment variable: '));
    expect(() => parseEnv('A=\0', own)).toThrow(usage('invalid environment variable: "A=\\x00"'));
  });

  test('reads labels', () => {
    expect(parseLabel('a=b=c')).toEqual(['a', 'b=c']);
    expect(parseLabel('a')).toEqual(['a', '']);
    expect(() => parseLabel('=b')).toThrow(usage("invalid label '=b': empty name"));
    expect(() => parseLabel('a b=c')).toThrow(usage("label 'a b' contains whitespaces"));
  });
});

describe('--security-opt', () => {
  test.each([
    [[], { noNewPrivileges: false, seccomp: undefined, apparmor: undefined }],
    [['no-new-privileges'], { noNewPrivileges: true, seccomp: undefined, apparmor: undefined }],
    [
      ['no-new-privileges:true', 'seccomp=unconfined'],
      { noNewPrivileges: true, seccomp: 'unconfined', apparmor: undefined },
    ],
    [
      ['no-new-privileges', 'no-new-privileges=false'],
      { noNewPrivileges: false, seccomp: undefined, apparmor: undefined },
    ],
    [
      ['no-new-privileges=1', 'writable-cgroups'],
      { noNewPrivileges: true, seccomp: undefined, apparmor: undefined, writableCgroups: true },
    ],
    [
      ['writable-cgroups=F'],
      { noNewPrivileges: false, seccomp: undefined, apparmor: undefined, writableCgroups: false },
    ],
    [['seccomp:/a=b:c.json'], { noNewPrivileges: false, seccomp: '/a=b:c.json', apparmor: undefined }],
    [['seccomp=x', 'seccomp=builtin'], { noNewPrivileges: false, seccomp: undefined, apparmor: undefined }],
    [['apparmor=unconfined', 'apparmor:mine'], { noNewPrivileges: false, seccomp: undefined, apparmor: 'mine' }],
  ])('reads %j', (texts, expected) => expect(parseSecurityOptions(texts)).toEqual(expected));

  test('refuses unknown options and values', () => {
    expect(() => parseSecurityOptions(['apparmor='])).toThrow(usage('invalid --security-opt 2: "apparmor="'));
    expect(() => parseSecurityOptions(['seccomp'])).toThrow(usage('invalid --security-opt 1: "seccomp"'));
    for (const text of ['no-new-privileges=maybe', 'writable-cgroups=potato', 'writeable-cgroups=true'])
      expect(() => parseSecurityOptions([text])).toThrow(usage(`invalid --security-opt 2: "${text}"`));
  });
});

test('property: any text is parsed or gives a HealthctlError, quickly', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'0123456789.eE+-/:=kmgib nofile'), maxLength: 60 }),
    fc.constantFrom('9'.repeat(100_000), `nofile=${'9'.repeat(100_000)}`, `1e${'9'.repeat(9)}`),
  );
  for (const parse of [parseSize, parseCpus, parseUlimit, parseLabel, (t: string) => parseSecurityOptions([t])]) {
    fc.assert(
      fc.property(text, (given) => {
        try {
          parse(given);
        } catch (error) {
          expect(error).toBeInstanceOf(HealthctlError);
        }
      }),
    );
  }
});

test('property: a decimal number of CPUs is exact', () => {
  fc.assert(
    fc.property(fc.nat({ max: 4096 }), fc.nat({ max: 999_999_999 }), (whole, nano) => {
      expect(parseCpus(`${whole}.${String(nano).padStart(9, '0')}`)).toBe(whole * 1e9 + nano);
    }),
  );
});
