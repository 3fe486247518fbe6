import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { encodeJson } from '../lib/json.ts';
import { decodeRuntimeSpec, parseRuntimeSpec } from './read-spec.ts';

const PROCESS = { user: { uid: 0, gid: 0 }, cwd: '/' };

describe('reading specs by other tools', () => {
  test('keeps unknown fields, at any depth', () => {
    const spec = {
      ociVersion: '1.1.0+dev',
      process: {
        ...PROCESS,
        user: { uid: 1, gid: 2, umask: 18 },
        scheduler: { policy: 'SCHED_BATCH' },
        rlimits: [{ type: 'RLIMIT_CORE', hard: 2n ** 64n - 1n, soft: 2n ** 64n - 1n }],
      },
      hooks: { prestart: [{ path: '/x' }] },
      linux: { resources: { unified: { 'memory.high': '1' } }, personality: { domain: 'LINUX32' } },
    };
    expect(decodeRuntimeSpec(encodeJson(spec))).toEqual(spec);
    expect(decodeRuntimeSpec(new TextEncoder().encode(encodeJson(spec)))).toEqual(spec);
  });

  test('treats null like an absent field, as Go writes it', () => {
    const text = '{"ociVersion":"1.0.2","process":{"user":{"uid":0,"gid":0},"cwd":"/","rlimits":null},"mounts":null}';
    expect(decodeRuntimeSpec(text)).toEqual({ ociVersion: '1.0.2', process: PROCESS });
  });

  test('accepts a spec without a process', () => {
    expect(parseRuntimeSpec({ ociVersion: '1.0.0' })).toEqual({ ociVersion: '1.0.0' });
  });
});

test.each([
  [null, 'spec is not an object'],
  [[], 'spec is not an object'],
  [{}, 'spec.ociVersion is not a string'],
  [{ ociVersion: '1', process: { cwd: '/' } }, 'spec.process.user is not an object'],
  [{ ociVersion: '1', process: { ...PROCESS, args: ['x', 1] } }, 'spec.process.args[1] is not a string'],
  [
    { ociVersion: '1', process: { ...PROCESS, user: { uid: -1, gid: 0 } } },
    'spec.process.user.uid is not an id from 0 to 4294967295',
  ],
  [{ ociVersion: '1', annotations: { a: 1 } }, 'spec.annotations.a is not a string'],
  [{ ociVersion: '1', linux: { seccomp: {} } }, 'spec.linux.seccomp.defaultAction is not a string'],
])('%j is CORRUPT', (json, fault) => {
  const error = expect.objectContaining({ code: 'CORRUPT', message: `invalid OCI runtime spec: ${fault}` });
  expect(() => parseRuntimeSpec(json)).toThrow(error);
});

test('a spec that is nested without end is CORRUPT', () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const corrupt = expect.objectContaining({ code: 'CORRUPT' });
  expect(() => decodeRuntimeSpec(`{"ociVersion":"1","x":${deep}}`)).toThrow(corrupt);
});

test('property: any text and any value gives a spec or CORRUPT', () => {
  const attempt = (parse: () => unknown) => {
    try {
      parse();
    } catch (error) {
      expect(error).toBeInstanceOf(HealthctlError);
    }
  };
  fc.assert(fc.property(fc.string(), (text) => attempt(() => decodeRuntimeSpec(text))));
  const member = fc.anything();
  const hostile = fc.record({ ociVersion: fc.constant('1'), process: member, linux: member, mounts: fc.array(member) });
  fc.assert(fc.property(hostile, (value) => attempt(() => parseRuntimeSpec(value))));
});
