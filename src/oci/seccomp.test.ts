import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { DEFAULT_CAPABILITIES } from './capabilities.ts';
import type { SeccompConditions } from './seccomp.ts';
import { parseSeccompProfile, resolveSeccomp } from './seccomp.ts';
import type { Seccomp, SeccompArgument } from './types.ts';

const AMD64: SeccompConditions = { capabilities: DEFAULT_CAPABILITIES, arch: 'amd64', kernelVersion: '6.1.0-18-amd64' };
const CLONE_NEWUSER = 0x10000000;
const CLONE_THREAD = 0x00010000;

/** The kernel's decision about a call: `allow`, or the errno. */
function decide(filter: Seccomp, name: string, ...args: number[]): 'allow' | number {
  const rule = filter.syscalls?.find(
    (candidate) => candidate.names.includes(name) && (candidate.args ?? []).every((arg) => matches(arg, args)),
  );
  if (rule === undefined) return filter.defaultErrnoRet ?? 1;
  return rule.action === 'SCMP_ACT_ALLOW' ? 'allow' : (rule.errnoRet ?? 1);
}

function matches({ index, value, valueTwo = 0, op }: SeccompArgument, args: readonly number[]): boolean {
  const arg = BigInt(args[index] ?? 0);
  switch (op) {
    case 'SCMP_CMP_EQ':
      return arg === BigInt(value);
    case 'SCMP_CMP_LT':
      return arg < BigInt(value);
    case 'SCMP_CMP_MASKED_EQ':
      return (arg & BigInt(value)) === BigInt(valueTwo);
    default:
      throw new Error(`${op} is not known here`);
  }
}

describe('the default filter', () => {
  const filter = resolveSeccomp(AMD64);
  const admin = resolveSeccomp({ ...AMD64, capabilities: ['CAP_SYS_ADMIN'] });

  test('refuses unlisted system calls with EPERM, on all ABIs of the machine', () => {
    expect(filter).toMatchObject({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    });
    for (const rule of filter.syscalls ?? []) {
      expect(Object.keys(rule).filter((key) => !['names', 'action', 'args', 'errnoRet'].includes(key))).toEqual([]);
    }
  });

  test.each(['read', 'execve', 'futex_waitv', 'ptrace', 'process_vm_readv', 'chroot', 'arch_prctl', 'modify_ldt'])(
    'allows %s',
    (name) => expect(decide(filter, name)).toBe('allow'),
  );
  test.each(
    'mount umount2 setns unshare bpf keyctl add_key kexec_load reboot io_uring_setup io_uring_enter io_uring_register open_by_handle_at userfaultfd perf_event_open swapon init_module settimeofday'.split(
      ' ',
    ),
  )('refuses %s', (name) => expect(decide(filter, name)).toBe(1));

  test('decides about sockets by address family', () => {
    const allowed = Array.from({ length: 50 }, (_, family) => family).filter(
      (family) => decide(filter, 'socket', family) === 'allow',
    );
    const refused = [12, 19, 20, 23, 25, 34, 37, 38, 40, 46, 47, 48, 49];
    expect(allowed).toEqual(Array.from({ length: 50 }, (_, family) => family).filter((n) => !refused.includes(n)));
  });

  test('decides about personality by value', () => {
    for (const value of [0, 8, 0x20000, 0x20008, 0xffffffff])
      expect(decide(filter, 'personality', value)).toBe('allow');
    expect(decide(filter, 'personality', 0x40000)).toBe(1);
  });

  test('allows new namespaces with CAP_SYS_ADMIN only; without it, clone3, whose flags cannot be read, gives ENOSYS', () => {
    expect(decide(filter, 'clone', CLONE_THREAD)).toBe('allow');
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, CLONE_NEWUSER, 0x20000000, 0x40000000]) {
      expect(decide(filter, 'clone', flag | CLONE_THREAD)).toBe(1);
    }
    expect(decide(filter, 'clone3')).toBe(38);
    expect(decide(admin, 'clone', CLONE_NEWUSER)).toBe('allow');
    expect(decide(admin, 'clone3')).toBe('allow');
  });

  test('reads the flags of clone from its second argument on s390', () => {
    const s390 = resolveSeccomp({ ...AMD64, arch: 's390x' });
    expect(decide(s390, 'clone', CLONE_NEWUSER, 0)).toBe('allow');
    expect(decide(s390, 'clone', 0, CLONE_NEWUSER)).toBe(1);
  });

  test.each([
    ['CAP_SYS_BOOT', 'reboot'],
    ['CAP_BPF', 'bpf'],
    ['CAP_PERFMON', 'perf_event_open'],
    ['CAP_SYS_PTRACE', 'kcmp'],
    ['CAP_SYSLOG', 'syslog'],
    ['CAP_DAC_READ_SEARCH', 'open_by_handle_at'],
    ['CAP_SYS_MODULE', 'finit_module'],
    ['CAP_SYS_PACCT', 'acct'],
    ['CAP_SYS_RAWIO', 'ioperm'],
    ['CAP_SYS_TIME', 'settimeofday'],
    ['CAP_SYS_TTY_CONFIG', 'vhangup'],
    ['CAP_SYS_NICE', 'mbind'],
    ['CAP_SYS_ADMIN', 'mount'],
    ['CAP_SYS_CHROOT', 'chroot'],
  ])('%s allows %s', (capability, name) => {
    expect(decide(resolveSeccomp({ ...AMD64, capabilities: [] }), name)).toBe(1);
    expect(decide(resolveSeccomp({ ...AMD64, capabilities: [capability] }), name)).toBe('allow');
  });

  test('allows ptrace since Linux 4.8; versions are compared as numbers', () => {
    expect(decide(resolveSeccomp({ ...AMD64, kernelVersion: '4.7.10' }), 'ptrace')).toBe(1);
    expect(decide(resolveSeccomp({ ...AMD64, kernelVersion: '4.8-rc1' }), 'ptrace')).toBe('allow');
    expect(decide(resolveSeccomp({ ...AMD64, kernelVersion: '4.18.0-477.el8' }), 'ptrace')).toBe('allow');
  });

  test('covers other architectures', () => {
    const arm = resolveSeccomp({ ...AMD64, arch: 'arm64' });
    expect(arm.architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
    expect(decide(arm, 'arm_fadvise64_64')).toBe('allow');
    expect(decide(arm, 'arch_prctl')).toBe(1);
    expect(resolveSeccomp({ ...AMD64, arch: 'ppc64le' }).architectures).toBeUndefined();
    expect(decide(resolveSeccomp({ ...AMD64, arch: 'ppc64le' }), 'swapcontext')).toBe('allow');
    expect(decide(resolveSeccomp({ ...AMD64, arch: 'riscv64' }), 'riscv_flush_icache')).toBe('allow');
  });
});

describe('a profile of the user', () => {
  const parse = (profile: unknown, conditions = AMD64) => parseSeccompProfile(JSON.stringify(profile), conditions);

  test('plain OCI is used unchanged', () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64'],
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
      listenerPath: '/run/x',
      syscalls: [
        {
          names: ['socket'],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: 97,
          args: [{ index: 0, value: 38, valueTwo: 0, op: 'SCMP_CMP_EQ' }],
        },
      ],
    };
    expect(parse(profile)).toEqual(profile);
  });

  test('a value of 64 bits keeps its last bit', () => {
    const text =
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"ioctl","action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}]}';
    expect(parseSeccompProfile(text, AMD64)?.syscalls).toEqual([
      {
        names: ['ioctl'],
        action: 'SCMP_ACT_ERRNO',
        args: [{ index: 1, value: 2n ** 64n - 1n, valueTwo: 0, op: 'SCMP_CMP_EQ' }],
      },
    ]);
  });

  test('a rule applies if all of includes and none of excludes hold', () => {
    const names = (condition: object) =>
      parse({
        defaultAction: 'SCMP_ACT_ERRNO',
        syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...condition }],
      })?.syscalls?.length;
    expect(names({ includes: { caps: ['CAP_CHOWN'], arches: ['amd64', 'arm'], minKernel: '6.1' } })).toBe(1);
    expect(names({ includes: { caps: ['CAP_CHOWN', 'CAP_BPF'] } })).toBe(0);
    expect(names({ includes: { arches: ['arm64'] } })).toBe(0);
    expect(names({ includes: { minKernel: '6.2' } })).toBe(0);
    expect(names({ excludes: { caps: ['CAP_BPF', 'CAP_CHOWN'] } })).toBe(0);
    expect(names({ excludes: { arches: ['amd64'] } })).toBe(0);
    expect(names({ excludes: { minKernel: '5.0' } })).toBe(0);
    expect(names({ excludes: { caps: ['CAP_BPF'], arches: ['arm64'], minKernel: '7.0' }, includes: null })).toBe(1);
  });

  test('a profile without actions and rules is no filter', () => {
    expect(parse({})).toBeUndefined();
    expect(parse({ syscalls: [], archMap: [] })).toBeUndefined();
  });

  test.each([
    ['{', /^Decoding seccomp profile failed: not JSON: /],
    ['[]', /^Decoding seccomp profile failed: the profile is not an object$/],
    ['{"defaultAction":5}', /defaultAction is not a string/],
    ['{"syscalls":[{"name":"a","names":["b"]}]}', /both 'name' and 'names' are specified in the seccomp profile/],
    [
      '{"defaultAction":"x","architectures":["a"],"archMap":[{"architecture":"b"}]}',
      /both 'architectures' and 'archMap' are specified/,
    ],
    [
      '{"syscalls":[{"names":["a"],"includes":{"minKernel":"4"}}]}',
      /invalid kernel version: "4", expected "<kernel>\.<major>"/,
    ],
    ['{"syscalls":[{"names":["a"],"args":[{"value":-1}]}]}', /value is not a whole number of 64 bits/],
  ])('%s is INVALID', (text, message) => {
    const refused = expect.objectContaining({ code: 'INVALID', message: expect.stringMatching(message) });
    expect(() => parseSeccompProfile(text, AMD64)).toThrow(refused);
  });

  test('property: any text gives a filter or a HealthctlError', () => {
    const rule = fc.record({
      names: fc.anything(),
      action: fc.anything(),
      args: fc.anything(),
      includes: fc.anything(),
    });
    const profile = fc.record({ defaultAction: fc.string(), syscalls: fc.array(rule), archMap: fc.anything() });
    const text = fc.oneof(
      fc.string(),
      profile.map((value) => JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? 1 : v))),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          parseSeccompProfile(given, AMD64);
        } catch (error) {
          expect(error).toBeInstanceOf(HealthctlError);
        }
      }),
    );
  });
});
