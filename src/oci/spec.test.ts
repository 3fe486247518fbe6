import { describe, expect, test } from 'vitest';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES } from './capabilities.ts';
import { parseTmpfs, parseVolume } from './mount-flags.ts';
import type { Bind } from './mounts.ts';
import { parseRuntimeSpec } from './read-spec.ts';
import { resolveResources } from './resources.ts';
import type { SpecOptions } from './spec.ts';
import { buildSpec, withoutInherited } from './spec.ts';
import type { RuntimeSpec } from './types.ts';

function bindOf(text: string, cwd: string): Bind {
  const mount = parseVolume(text, cwd);
  if (mount.kind !== 'bind') throw new Error(`${text} is no bind mount`);
  return mount.bind;
}

const MIB = 2 ** 20;

function build(options: Partial<SpecOptions> = {}): RuntimeSpec {
  return buildSpec({
    id: 'abc',
    namespace: 'default',
    hostname: 'box',
    image: { cmd: ['sh'] },
    user: { uid: 0, gid: 0, additionalGids: [0] },
    network: 'own',
    host: {
      arch: 'amd64',
      kernelVersion: '6.1.0',
      cgroup2: false,
      swapLimit: true,
      cpuRealtime: true,
      cpus: 2,
      throttling: ['/sys/devices/system/cpu/cpu1/thermal_throttle'],
      capabilities: ALL_CAPABILITIES,
      devices: [{ path: '/dev/kmsg', type: 'c', major: 1, minor: 11 }],
    },
    ...options,
  });
}

function mountAt(spec: RuntimeSpec, destination: string): readonly string[] | undefined {
  return spec.mounts?.find((mount) => mount.destination === destination)?.options;
}

const invalid = (message: string) => expect.objectContaining({ code: 'INVALID', message });

test('the built spec is one that our own reader accepts', () => {
  const spec = build();
  expect(parseRuntimeSpec(spec)).toEqual(spec);
  expect(spec).toMatchObject({ root: { path: 'rootfs' }, hostname: 'box', linux: { cgroupsPath: '/default/abc' } });
  expect(spec.process).not.toHaveProperty('rlimits');
});

describe('settings that a runtime would inherit from the shim', () => {
  test("OOM score and umask are set, to Docker's values", () => {
    expect(build().process).toMatchObject({ oomScoreAdj: 0, user: { uid: 0, gid: 0, umask: 0o022 } });
  });

  test('completing a spec adds missing values and keeps present ones', () => {
    const process = { user: { uid: 1, gid: 2 }, cwd: '/', args: ['x'] };
    expect(withoutInherited(process)).toEqual({ ...process, user: { uid: 1, gid: 2, umask: 0o022 }, oomScoreAdj: 0 });
    const own = { ...process, user: { uid: 1, gid: 2, umask: 0o077 }, oomScoreAdj: -5 };
    expect(withoutInherited(own)).toEqual(own);
  });
});

describe('the program that runs', () => {
  const image = { entrypoint: ['entry', '-x'], cmd: ['cmd', 'arg'] };
  test.each([
    [{ image }, ['entry', '-x', 'cmd', 'arg']],
    [{ image, command: ['mine'] }, ['entry', '-x', 'mine']],
    [{ image, entrypoint: ['other'] }, ['other']],
    [{ image, entrypoint: ['other'], command: ['mine'] }, ['other', 'mine']],
    [{ image, entrypoint: [''], command: ['mine'] }, ['mine']],
    [{ image, entrypoint: [] }, ['cmd', 'arg']],
    [{ image, entrypoint: ['a', ''] }, ['a', '']],
    [{ image: { entrypoint: [''], cmd: ['cmd'] } }, ['cmd']],
    [{ image: {}, command: ['mine'] }, ['mine']],
    [{ image, init: '/usr/bin/tini' }, ['/sbin/docker-init', '--', 'entry', '-x', 'cmd', 'arg']],
  ])('%j', (options, args) => expect(build(options).process?.args).toEqual(args));

  test('refuses a container without a command', () => {
    expect(() => build({ image: {} })).toThrow(invalid('no command specified'));
    expect(() => build({ image, entrypoint: [''] })).toThrow(invalid('no command specified'));
  });

  test('environment: defaults, image, options; a name alone removes a variable', () => {
    const usual = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const env = (options: Partial<SpecOptions>) => build(options).process?.env;
    expect(env({})).toEqual([usual, 'HOSTNAME=box']);
    expect(env({ terminal: true })).toEqual([usual, 'HOSTNAME=box', 'TERM=xterm']);
    const image = { cmd: ['sh'], env: ['PATH=/bin', 'A=1', 'B=2'] };
    expect(env({ image, env: ['A=x', 'C=3', 'B', 'HOSTNAME=y', 'A=z'] })).toEqual([
      'PATH=/bin',
      'HOSTNAME=y',
      'A=z',
      'C=3',
    ]);
  });

  test('takes the working directory from options, image or /', () => {
    expect(build().process?.cwd).toBe('/');
    expect(build({ image: { cmd: ['sh'], workingDir: '/srv' } }).process?.cwd).toBe('/srv');
    expect(build({ image: { cmd: ['sh'], workingDir: '/srv' }, workingDir: '/opt' }).process?.cwd).toBe('/opt');
    expect(() => build({ workingDir: 'opt' })).toThrow(
      invalid("the working directory 'opt' is invalid, it needs to be an absolute path"),
    );
  });
});

describe('privileges', () => {
  test('by default there are no inheritable capabilities, a seccomp filter, and masked and read-only paths', () => {
    const { process, linux } = build();
    expect(process?.capabilities).toEqual({
      bounding: DEFAULT_CAPABILITIES,
      effective: DEFAULT_CAPABILITIES,
      permitted: DEFAULT_CAPABILITIES,
    });
    expect(process?.noNewPrivileges).toBe(false);
    expect(process).not.toHaveProperty('apparmorProfile');
    expect(build({ apparmor: 'mine' }).process?.apparmorProfile).toBe('mine');
    expect(linux?.seccomp?.defaultAction).toBe('SCMP_ACT_ERRNO');
    expect(linux?.maskedPaths).toEqual(expect.arrayContaining(['/proc/kcore', '/sys/firmware']));
    expect(linux?.maskedPaths).toContain('/sys/devices/system/cpu/cpu1/thermal_throttle');
    expect(linux?.readonlyPaths).toContain('/proc/sys');
    expect(linux?.resources?.devices?.[0]).toEqual({ allow: false, access: 'rwm' });
    expect(linux).not.toHaveProperty('devices');
  });

  test('a user other than root has capabilities only in the bounding set', () => {
    const user = { uid: 1000, gid: 1000, additionalGids: [1000] };
    expect(build({ user }).process?.capabilities).toEqual({ bounding: DEFAULT_CAPABILITIES });
  });

  test('--privileged lifts the restrictions', () => {
    const spec = build({ privileged: true });
    expect(spec.process?.capabilities?.effective).toEqual(ALL_CAPABILITIES);
    expect(spec.linux).not.toHaveProperty('seccomp');
    expect(spec.linux).not.toHaveProperty('maskedPaths');
    expect(spec.linux).not.toHaveProperty('readonlyPaths');
    expect(spec.linux?.devices).toEqual([{ path: '/dev/kmsg', type: 'c', major: 1, minor: 11 }]);
    expect(spec.linux?.resources?.devices).toEqual([{ allow: true, access: 'rwm' }]);
    expect(mountAt(spec, '/sys')).not.toContain('ro');
    expect(mountAt(spec, '/sys/fs/cgroup')).not.toContain('ro');
    const profile = '{"defaultAction":"SCMP_ACT_LOG"}';
    expect(build({ privileged: true, seccomp: { profile } }).linux?.seccomp?.defaultAction).toBe('SCMP_ACT_LOG');
  });

  test('the seccomp filter depends on the capabilities', () => {
    const names = (options: Partial<SpecOptions>) =>
      build(options).linux?.seccomp?.syscalls?.flatMap((rule) => rule.names);
    expect(names({})).not.toContain('mount');
    expect(names({ capAdd: ['SYS_ADMIN'] })).toContain('mount');
    expect(build({ seccomp: 'unconfined' }).linux).not.toHaveProperty('seccomp');
  });
});

describe('namespaces', () => {
  const types = (options: Partial<SpecOptions>) => build(options).linux?.namespaces?.map(({ type }) => type);
  test('a container has its own; a network namespace only on request, a cgroup namespace only on cgroup2', () => {
    expect(types({})).toEqual(['mount', 'uts', 'pid', 'ipc', 'network']);
    expect(types({ network: 'host' })).toEqual(['mount', 'uts', 'pid', 'ipc']);
    const host = {
      arch: 'amd64',
      kernelVersion: '6.1',
      cgroup2: true,
      swapLimit: true,
      cpuRealtime: false,
      cpus: 1,
      throttling: [],
      capabilities: [],
    } as const;
    expect(types({ host })).toContain('cgroup');
  });

  test('network settings exist only in a network of its own', () => {
    expect(build().linux?.sysctl).toMatchObject({ 'net.ipv4.ip_unprivileged_port_start': '0' });
    expect(build({ network: 'host' }).linux).not.toHaveProperty('sysctl');
  });
});

test('a terminal has the size that was asked for', () => {
  const consoleSize = { width: 57, height: 123 };
  expect(build({ terminal: true, consoleSize }).process?.consoleSize).toEqual(consoleSize);
  expect(build({ consoleSize }).process).not.toHaveProperty('consoleSize');
});

describe('mounts', () => {
  test("have Docker's defaults, with the size of /dev/shm", () => {
    expect(build().mounts?.map(({ destination }) => destination)).toEqual([
      '/proc',
      '/dev',
      '/dev/pts',
      '/sys',
      '/sys/fs/cgroup',
      '/dev/mqueue',
      '/dev/shm',
    ]);
    expect(mountAt(build(), '/dev/shm')).toContain(`size=${64 * MIB}`);
    expect(mountAt(build({ shmSize: 0 }), '/dev/shm')).toContain(`size=${64 * MIB}`);
    expect(mountAt(build({ shmSize: MIB }), '/dev/shm')).toContain(`size=${MIB}`);
    expect(mountAt(build(), '/sys')).toContain('ro');
  });

  test('requested mounts come last, parents before children, and replace defaults', () => {
    const binds = ['/x:/a/b/c', '/x:/a', '/x:/dev/shm'].map((text) => bindOf(text, '/'));
    const spec = build({ binds, tmpfs: [parseTmpfs('/a/b')] });
    expect(spec.mounts?.slice(6).map(({ destination, type }) => [destination, type])).toEqual([
      ['/a', 'bind'],
      ['/dev/shm', 'bind'],
      ['/a/b', 'tmpfs'],
      ['/a/b/c', 'bind'],
    ]);
  });

  test('a requested /dev replaces all default mounts below it', () => {
    const spec = build({ binds: [bindOf('/dev:/dev', '/')] });
    expect(spec.mounts?.map(({ destination }) => destination)).toEqual(['/proc', '/sys', '/sys/fs/cgroup', '/dev']);
  });

  test('generated files are mounted unless the user mounts there; read-only if the root is', () => {
    const generated = { hosts: '/s/hosts', hostname: '/s/hostname', resolvConf: '/s/resolv.conf' };
    const binds = [bindOf('/mine:/etc/hosts', '/')];
    const spec = build({ generated, binds });
    expect(spec.mounts?.filter(({ destination }) => destination === '/etc/hosts')).toHaveLength(1);
    expect(mountAt(spec, '/etc/resolv.conf')).toEqual(['rbind', 'rprivate']);
    expect(mountAt(build({ generated, readOnly: true }), '/etc/hosts')).toContain('ro');
  });

  test('--read-only makes the root read-only', () => {
    const spec = build({ readOnly: true, binds: [bindOf('/x:/x', '/')], tmpfs: [parseTmpfs('/tmp')] });
    expect(spec.root).toEqual({ path: 'rootfs', readonly: true });
    for (const writable of ['/proc', '/dev', '/dev/shm', '/x', '/tmp']) {
      expect(mountAt(spec, writable)).not.toContain('ro');
    }
  });

  test('a read-only bind is read-only with what is mounted below it, where the host can', () => {
    const bind = bindOf('/x:/x:ro', '/');
    const accessOf = (one: Bind, canReadOnlyBelow: boolean) =>
      mountAt(build({ binds: [one], canReadOnlyBelow }), '/x')?.[1];
    expect([accessOf(bind, true), accessOf(bind, false)]).toEqual(['rro', 'ro']);
    expect(accessOf({ ...bind, isWritableBelow: true }, true)).toBe('ro');
    expect(accessOf({ ...bind, mount: { recursive: 'writable' } }, true)).toBe('ro');
    expect(accessOf({ ...bind, mount: { recursive: 'readonly' } }, false)).toBe('rro');
    const writable = build({ binds: [bindOf('/x:/x', '/')], canReadOnlyBelow: true });
    expect(mountAt(writable, '/x')).toEqual(['rbind', 'rprivate']);
  });

  test('the cgroup is read-only unless the container is privileged, or asks for the other', () => {
    const isReadOnly = (options: Partial<SpecOptions>) => mountAt(build(options), '/sys/fs/cgroup')?.includes('ro');
    expect([isReadOnly({}), isReadOnly({ writableCgroups: true })]).toEqual([true, false]);
    expect(isReadOnly({ privileged: true, writableCgroups: false })).toBe(true);
    expect(mountAt(build({ writableCgroups: true }), '/sys')).toContain('ro');
  });

  test('the root gets the propagation that the binds need', () => {
    const propagation = (...texts: string[]) =>
      build({ binds: texts.map((text) => bindOf(text, '/')) }).linux?.rootfsPropagation;
    expect(propagation('/x:/x')).toBeUndefined();
    expect(propagation('/x:/x:slave')).toBe('rslave');
    expect(propagation('/x:/x:slave', '/y:/y:rshared')).toBe('shared');
  });

  test('refuses two mounts on the same path', () => {
    const binds = [bindOf('/x:/data', '/')];
    const error = invalid('Duplicate mount point: /data');
    expect(() => build({ binds, tmpfs: [parseTmpfs('/data/')] })).toThrow(error);
    expect(() => build({ binds: [...binds, ...binds] })).toThrow(error);
  });

  test('--init mounts and runs the tini of the host', () => {
    expect(build({ init: '/usr/bin/tini' }).mounts?.at(-1)).toEqual({
      destination: '/sbin/docker-init',
      type: 'bind',
      source: '/usr/bin/tini',
      options: ['bind', 'ro'],
    });
  });
});

describe('limits', () => {
  test('sets memory, CPUs and processes', () => {
    const { linux } = build({ limits: { memory: 512 * MIB, nanoCpus: 1_500_000_000, pidsLimit: 10 } });
    expect(linux?.resources).toMatchObject({
      memory: { limit: 512 * MIB, swap: 1024 * MIB },
      cpu: { period: 100_000, quota: 150_000 },
      pids: { limit: 10 },
    });
    expect(Object.keys(build({ limits: { pidsLimit: -1, memory: 0 } }).linux?.resources ?? {})).toEqual(['devices']);
  });

  test('errors in limits', () => {
    expect(() => build({ limits: { memory: 5 * MIB } })).toThrow(invalid('Minimum memory limit allowed is 6MB'));
    const range = 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available';
    expect(() => build({ limits: { nanoCpus: 2_000_000_001 } })).toThrow(invalid(range));
    expect(() => build({ limits: { nanoCpus: -1 } })).toThrow(invalid(range));
  });

  test.each([
    [
      { memory: 8 * MIB, memorySwap: 7 * MIB },
      'Minimum memoryswap limit should be larger than memory limit, see usage',
    ],
    [{ memorySwap: 7 * MIB }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
    [{ memoryReservation: MIB }, 'Minimum memory reservation allowed is 6MB'],
    [
      { memory: 8 * MIB, memoryReservation: 9 * MIB },
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    ],
    [{ cpuShares: -1 }, 'invalid CPU shares (-1): value must be a positive integer'],
    [{ nanoCpus: 1, cpuPeriod: 1000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
    [{ nanoCpus: 1, cpuQuota: 1000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [{ cpuPeriod: 999 }, 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
    [
      { cpuRealtimePeriod: 1000, cpuRealtimeRuntime: 1001 },
      'cpu real-time runtime cannot be higher than cpu real-time period',
    ],
    [{ cpuRealtimePeriod: -1 }, 'invalid CPU real-time period (-1): value must be a positive integer'],
    [{ cpuQuota: 999 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  ])('refuses %j', (limits, message) => expect(() => build({ limits })).toThrow(invalid(message)));

  test('sets every limit', () => {
    const limits = {
      memory: 8 * MIB,
      memorySwap: -1,
      memoryReservation: 7 * MIB,
      oomKillDisable: true,
      cpuShares: 512,
      cpuPeriod: 2000,
      cpuQuota: 1000,
      cpuRealtimePeriod: 1_000_000,
      cpuRealtimeRuntime: 950_000,
      cpusetCpus: '0',
      cpusetMems: '0',
    };
    expect(build({ limits }).linux?.resources).toMatchObject({
      memory: { limit: 8 * MIB, swap: -1, reservation: 7 * MIB },
      cpu: {
        ...{ shares: 512, period: 2000, quota: 1000, cpus: '0', mems: '0' },
        ...{ realtimePeriod: 1_000_000, realtimeRuntime: 950_000 },
      },
    });
  });

  test.each([{ cpuRealtimePeriod: 1 }, { cpuRealtimeRuntime: 1 }, { cpuRealtimeRuntime: -1 }])(
    'refuses %j if the kernel cannot limit real-time scheduling',
    (limits) => {
      const options = { ...limits, privileged: false, cpus: 1, cgroup2: true, swapLimit: true, cpuRealtime: false };
      expect(() => resolveResources(options)).toThrow(invalid('kernel does not support CPU real-time scheduler'));
      expect(() => resolveResources({ ...options, cpuRealtimePeriod: 0, cpuRealtimeRuntime: 0 })).not.toThrow();
    },
  );

  test('sets rlimits and OOM score', () => {
    const rlimit = { type: 'RLIMIT_CORE', soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n };
    expect(build({ ulimits: [rlimit], oomScoreAdj: 5 }).process).toMatchObject({ rlimits: [rlimit], oomScoreAdj: 5 });
  });
});

describe('namespaces and devices', () => {
  const modes = { pid: '', ipc: 'private', uts: '', cgroup: '' };
  const typesOf = (namespaces: Partial<typeof modes>) =>
    build({ namespaces: { ...modes, ...namespaces } }).linux?.namespaces?.map(({ type }) => type);
  test.each(['pid', 'uts', 'ipc'] as const)("does not create the %s namespace if the host's is used", (type) => {
    expect(typesOf({})).toContain(type);
    expect(typesOf({ [type]: 'host' })).not.toContain(type);
  });

  test('sets the host name only in a namespace of its own', () => {
    expect(build({ namespaces: { ...modes, uts: 'host' } })).not.toHaveProperty('hostname');
  });

  test.each([
    ['private', true],
    ['host', false],
  ])('--cgroupns %s', (cgroup, isMade) => expect(typesOf({ cgroup })?.includes('cgroup')).toBe(isMade));

  test('/dev/shm has the requested size', () => {
    const shmOf = (shm?: NonNullable<SpecOptions['shm']>) =>
      build(shm === undefined ? {} : { shm }).mounts?.find(({ destination }) => destination === '/dev/shm');
    expect(shmOf()?.type).toBe('tmpfs');
    expect(shmOf('none')).toBeUndefined();
    expect(shmOf({ source: '/x' })).toMatchObject({ type: 'bind', source: '/x' });
  });

  test('a device is created and allowed', () => {
    const device = { path: '/dev/x', type: 'c', major: 10, minor: 229 };
    const { linux } = build({
      devices: [{ device, access: 'rm' }],
      deviceRules: [{ allow: true, type: 'a', access: 'm' }],
    });
    expect(linux?.devices).toEqual([device]);
    expect(linux?.resources?.devices?.slice(-2)).toEqual([
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rm' },
      { allow: true, type: 'a', access: 'm' },
    ]);
  });

  test('sysctls are added to the defaults', () => {
    expect(build({ sysctls: { 'net.a': '1' } }).linux?.sysctl).toMatchObject({
      'net.a': '1',
      'net.ipv4.ip_unprivileged_port_start': '0',
    });
    expect(build({ network: 'host' }).linux).not.toHaveProperty('sysctl');
  });
});
