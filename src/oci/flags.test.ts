import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { parseNumberList, refuseCpuset } from './cpuset.ts';
import { parseDevice, parseDeviceRule } from './devices.ts';
import { joinNamespaces, parseNamespaceModes } from './namespaces.ts';
import { parseSysctl, refuseSysctlsOfHost } from './sysctls.ts';

const refusal = (code: string, message: string) => expect.objectContaining({ code, message });

describe('--device', () => {
  test.each([
    ['/dev/a', { host: '/dev/a', container: '/dev/a', access: 'rwm' }],
    ['/dev/a:r', { host: '/dev/a', container: '/dev/a', access: 'r' }],
    ['/dev/a:/dev/../b', { host: '/dev/a', container: '/b', access: 'rwm' }],
    ['/dev/a:/dev/b:mr', { host: '/dev/a', container: '/dev/b', access: 'mr' }],
  ])('reads %s', (text, expected) => expect(parseDevice(text)).toEqual(expected));

  test.each([
    ['', 'bad format for path: '],
    [':/dev/a', 'bad format for path: :/dev/a'],
    ['/a:/b:r:w', 'bad format for path: /a:/b:r:w'],
    ['/a:/b:x', 'bad mode specified: x'],
    ['/a:/b:rr', 'bad mode specified: rr'],
    ['/a:b', 'b is not an absolute path'],
    ['a', 'a is not an absolute path'],
  ])('refuses %j: %s', (text, message) => expect(() => parseDevice(text)).toThrow(refusal('USAGE', message)));

  test('reads cgroup rules', () => {
    expect(parseDeviceRule('c 1:* r')).toEqual({ allow: true, type: 'c', major: 1, access: 'r' });
    expect(parseDeviceRule('a *:* rwm')).toEqual({ allow: true, type: 'a', access: 'rwm' });
    expect(() => parseDeviceRule('c 1:3')).toThrow(refusal('USAGE', "invalid device cgroup format 'c 1:3'"));
  });
});

describe('namespace options', () => {
  const parse = (given: Partial<Parameters<typeof parseNamespaceModes>[0]>) =>
    parseNamespaceModes({ pid: undefined, ipc: undefined, uts: undefined, cgroup: undefined, ...given });

  test("have Docker's defaults, and keep what is given", () => {
    expect(parse({})).toEqual({ pid: '', ipc: 'private', uts: '', cgroup: '' });
    const given = { pid: 'container:x', ipc: 'shareable', uts: 'host', cgroup: 'private' };
    expect(parse(given)).toEqual(given);
  });

  test.each([
    [{ pid: 'private' }, 'USAGE', '--pid: invalid PID mode'],
    [{ pid: 'container:' }, 'USAGE', '--pid: invalid PID mode'],
    [{ uts: 'container:x' }, 'USAGE', '--uts: invalid UTS mode'],
    [{ cgroup: 'x' }, 'USAGE', '--cgroupns: invalid CGROUP mode'],
    [{ ipc: 'shared' }, 'INVALID', 'invalid IPC mode: shared'],
  ])('refuse %j', (given, code, message) => expect(() => parse(given)).toThrow(refusal(code, message)));

  test('joining a namespace replaces the path of the previous run', () => {
    const before = [{ type: 'pid', path: '/proc/1/ns/pid' }, { type: 'ipc' }];
    expect(joinNamespaces(before, { pid: '/proc/2/ns/pid' })).toEqual([
      { type: 'pid', path: '/proc/2/ns/pid' },
      { type: 'ipc' },
    ]);
  });
});

describe('--sysctl', () => {
  test('accepts only settings that belong to a namespace', () => {
    expect(parseSysctl('net.core.somaxconn=1=2')).toEqual(['net.core.somaxconn', '1=2']);
    for (const text of ['kernel.sem', 'vm.swappiness=1', 'kernel.core_pattern=x', 'net']) {
      expect(() => parseSysctl(text)).toThrow(refusal('USAGE', `sysctl '${text}' is not allowed`));
    }
  });

  test("refuses settings of a namespace that is the host's", () => {
    const own = { network: false, ipc: false };
    expect(() => refuseSysctlsOfHost({ 'net.a': '1', 'kernel.sem': '1' }, own)).not.toThrow();
    expect(() => refuseSysctlsOfHost({ 'net.a': '1' }, { ...own, network: true })).toThrow(
      refusal('INVALID', 'sysctl "net.a" not allowed in host network namespace'),
    );
    expect(() => refuseSysctlsOfHost({ 'fs.mqueue.x': '1' }, { ...own, ipc: true })).toThrow(
      refusal('INVALID', 'sysctl "fs.mqueue.x" is not allowed in the hosts ipc namespace'),
    );
  });
});

describe('--cpuset-cpus', () => {
  test('reads lists and ranges', () => {
    expect([...(parseNumberList('0-2,7') ?? [])]).toEqual([0, 1, 2, 7]);
    expect(['', '3-1', 'a', '1,', '99999', '-1'].map(parseNumberList).map((found) => found?.size)).toEqual([
      0,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('refuses what the host does not have', () => {
    const host = { cpus: '0-1', mems: '0' };
    expect(() => refuseCpuset({ cpus: '1', mems: '0' }, host)).not.toThrow();
    expect(() => refuseCpuset({ cpus: '0-2', mems: '' }, host)).toThrow(
      refusal('INVALID', 'Requested CPUs are not available - requested 0-2, available: 0-1'),
    );
    expect(() => refuseCpuset({ cpus: '', mems: '1' }, host)).toThrow(
      refusal('INVALID', 'Requested memory nodes are not available - requested 1, available: 0'),
    );
    expect(() => refuseCpuset({ cpus: 'x', mems: '' }, undefined)).toThrow(
      refusal('INVALID', 'Invalid value x for cpuset cpus: invalid format: x'),
    );
  });
});

test('property: any text is parsed or refused', () => {
  const parsers = [parseDevice, parseDeviceRule, parseSysctl, parseNumberList];
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-c*0-9:/,\- rwm=]{0,20}$/)), (text) => {
      for (const parse of parsers) {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(HealthctlError);
        }
      }
    }),
  );
});
