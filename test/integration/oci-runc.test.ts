import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeJson } from '../../src/lib/json.ts';
import { capabilitiesOfMask } from '../../src/oci/capabilities.ts';
import { parseTmpfs, parseVolume } from '../../src/oci/mount-flags.ts';
import type { Bind } from '../../src/oci/mounts.ts';
import { parseUlimit } from '../../src/oci/parse.ts';
import { decodeRuntimeSpec } from '../../src/oci/read-spec.ts';
import type { GoArch } from '../../src/oci/seccomp.ts';
import type { HostFacts, SpecOptions } from '../../src/oci/spec.ts';
import { buildSpec } from '../../src/oci/spec.ts';
import type { Device } from '../../src/oci/types.ts';

function bindOf(text: string, cwd: string): Bind {
  const mount = parseVolume(text, cwd);
  if (mount.kind !== 'bind') throw new Error(`${text} is no bind mount`);
  return mount.bind;
}

// Runs the specs that we build with the real runc, on a bundle of busybox.

const MIB = 1024 * 1024;
const NAMESPACE = `healthctl-oci-${process.pid}`;
const DEFAULT_MASK = '00000000a80425fb';
let base: string;
let runcRoot: string;
let host: HostFacts;
let runs = 0;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'healthctl-oci-'));
  runcRoot = join(base, 'runc');
  host = readHost();
});
afterAll(() => {
  for (const id of listContainers()) execFileSync('runc', ['--root', runcRoot, 'delete', '--force', id]);
  rmSync(base, { recursive: true, force: true });
  removeCgroups();
});

/** runc removes a container's cgroups, but not the parent, which has the name of the namespace. */
function removeCgroups(): void {
  for (const controller of host.cgroup2 ? [''] : readdirSync('/sys/fs/cgroup')) {
    const path = join('/sys/fs/cgroup', controller, NAMESPACE);
    if (existsSync(path)) rmdirSync(path);
  }
}

function readHost(): HostFacts {
  const status = readFileSync('/proc/self/status', 'utf8');
  const arches: Partial<Record<string, GoArch>> = { x64: 'amd64', arm64: 'arm64' };
  const arch = arches[process.arch];
  if (arch === undefined) throw new Error(`no architecture for ${process.arch}`);
  const cgroup2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  return {
    arch,
    kernelVersion: release(),
    cgroup2,
    swapLimit: cgroup2 || existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'),
    cpuRealtime: false,
    cpus: cpus().length,
    throttling: [],
    capabilities: capabilitiesOfMask(/^CapBnd:\s*(\w+)$/m.exec(status)?.[1] ?? ''),
    devices: ['null', 'zero', 'kmsg'].flatMap(readDevice),
  };
}

function readDevice(name: string): Device[] {
  const path = `/dev/${name}`;
  if (!existsSync(path)) return [];
  const { rdev, mode, uid, gid } = statSync(path);
  return [{ path, type: 'c', major: (rdev >> 8) & 0xfff, minor: rdev & 0xff, fileMode: mode & 0o777, uid, gid }];
}

function listContainers(): string[] {
  return existsSync(runcRoot)
    ? execFileSync('runc', ['--root', runcRoot, 'list', '-q'], { encoding: 'utf8' }).split('\n').filter(Boolean)
    : [];
}

function makeBundle(): string {
  const bundle = mkdtempSync(join(base, 'bundle-'));
  for (const directory of ['bin', 'etc', 'tmp', 'sbin'])
    mkdirSync(join(bundle, 'rootfs', directory), { recursive: true });
  copyFileSync('/bin/busybox', join(bundle, 'rootfs/bin/busybox'));
  for (const applet of [
    'sh',
    'cat',
    'echo',
    'grep',
    'ls',
    'touch',
    'id',
    'chroot',
    'mount',
    'env',
    'hostname',
    'stat',
    'df',
    'mknod',
    'unshare',
    'ulimit',
    'date',
    'chown',
    'sleep',
    'pwd',
    'ip',
    'ping',
    'dd',
    'true',
  ])
    symlinkSync('busybox', join(bundle, 'rootfs/bin', applet));
  return bundle;
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a shell script in a container made of `options`.
 * @returns its status and output
 */
function run(script: string, options: Partial<SpecOptions> = {}): Outcome {
  const bundle = makeBundle();
  const id = `oci-${process.pid}-${++runs}`;
  const spec = buildSpec({
    id,
    namespace: NAMESPACE,
    hostname: 'box',
    image: { cmd: ['/bin/sh', '-c', script] },
    user: { uid: 0, gid: 0, additionalGids: [0] },
    network: 'own',
    host,
    ...options,
  });
  const json = encodeJson(spec);
  expect(decodeRuntimeSpec(json)).toEqual(spec);
  writeFileSync(join(bundle, 'config.json'), json);
  const { status, stdout, stderr } = spawnSync('runc', ['--root', runcRoot, 'run', '--bundle', bundle, id], {
    encoding: 'utf8',
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { status, stdout, stderr };
}

/**
 * Like `run`, for a script that must succeed.
 * @returns its output
 */
function output(script: string, options: Partial<SpecOptions> = {}): string {
  const { status, stdout, stderr } = run(script, options);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

function statusOf(options: Partial<SpecOptions>): Record<string, string> {
  const lines = output('cat /proc/self/status', options).split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2)));
}

describe('security', () => {
  test("by default a container has Docker's capabilities and a seccomp filter", () => {
    expect(statusOf({})).toMatchObject({
      CapInh: '0000000000000000',
      CapPrm: DEFAULT_MASK,
      CapEff: DEFAULT_MASK,
      CapBnd: DEFAULT_MASK,
      CapAmb: '0000000000000000',
      Seccomp: '2',
      NoNewPrivs: '0',
    });
  });

  test('no-new-privileges, cap-drop ALL with one added, and unconfined take effect', () => {
    const options = { noNewPrivileges: true, capDrop: ['ALL'], capAdd: ['chown'], seccomp: 'unconfined' } as const;
    expect(statusOf(options)).toMatchObject({
      CapEff: '0000000000000001',
      CapBnd: '0000000000000001',
      Seccomp: '0',
      NoNewPrivs: '1',
    });
    expect(statusOf({ capDrop: ['ALL'] })).toMatchObject({ CapEff: '0000000000000000', Seccomp: '2' });
  });

  test('a user other than root has its groups and no capabilities', () => {
    const user = { uid: 1000, gid: 1001, additionalGids: [1001, 44] };
    expect(output('id', { user })).toBe('uid=1000 gid=1001 groups=44,1001\n');
    expect(statusOf({ user })).toMatchObject({
      CapEff: '0000000000000000',
      CapPrm: '0000000000000000',
      CapBnd: DEFAULT_MASK,
    });
  });

  test('--privileged gives all our capabilities, no filter, writable /sys and /proc/sys, and the devices of the host', () => {
    const all = /^CapBnd:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    const script =
      'cat /proc/self/status; mount | grep " /sys "; ls /dev; test -w /proc/sys/kernel/domainname && echo writable';
    const printed = output(script, { privileged: true });
    expect(printed).toContain(`CapEff:\t${all}`);
    expect(printed).toContain('Seccomp:\t0');
    expect(printed).toMatch(/sysfs on \/sys type sysfs \(rw,/);
    expect(printed).toMatch(/^writable$/m);
    if (existsSync('/dev/kmsg')) expect(printed).toMatch(/^kmsg$/m);
  });

  test('the filter refuses mount, unshare and chroot without their capability', () => {
    expect(run('mount -t tmpfs none /tmp').stderr).toContain('permission denied');
    expect(run('unshare -m true').stderr).toContain('Operation not permitted');
    expect(run('unshare -U true').stderr).toContain('Operation not permitted');
    output('mount -t tmpfs none /tmp && unshare -m true', { capAdd: ['SYS_ADMIN'] });
    output('chroot / /bin/true');
    expect(run('chroot / /bin/true', { capDrop: ['SYS_CHROOT'] }).stderr).toContain('Operation not permitted');
  });

  test("a custom profile in Docker's format takes effect", () => {
    const profile = encodeJson({
      defaultAction: 'SCMP_ACT_ALLOW',
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', excludes: { caps: ['CAP_SYS_ADMIN'] } }],
    });
    const seccomp = { profile };
    expect(run('busybox mkdir /tmp/x', { seccomp }).stderr).toContain('Operation not permitted');
    output('busybox mkdir /tmp/x', { seccomp, capAdd: ['SYS_ADMIN'] });
  });

  test('paths are masked and read-only', () => {
    const script =
      'cat /proc/kcore /proc/keys /proc/interrupts /proc/timer_list 2>/dev/null | wc -c; ls /sys/firmware | wc -l';
    expect(output(script.replaceAll('wc', 'busybox wc'))).toBe('0\n0\n');
    expect(run('echo 1 > /proc/sys/kernel/domainname').stderr).toContain('Read-only file system');
  });

  test('the usual devices work, and others cannot be opened', () => {
    output('echo x > /dev/null && dd if=/dev/urandom of=/dev/zero bs=1 count=1 2>/dev/null && ls /dev/ptmx');
    const script = 'mknod /tmp/kmsg c 1 11 && cat /tmp/kmsg';
    expect(run(script).stderr).toContain('Operation not permitted');
  });
});

describe('file systems', () => {
  test('--read-only leaves /dev, /proc and tmpfs writable', () => {
    const options = { readOnly: true, tmpfs: [parseTmpfs('/tmp:size=1m')] };
    expect(output('touch /x 2>&1 || true; touch /tmp/x /dev/shm/x && echo fine', options)).toBe(
      'touch: /x: Read-only file system\nfine\n',
    );
  });

  test('binds can be writable or read-only, and create missing mount points', () => {
    const source = mkdtempSync(join(base, 'data-'));
    writeFileSync(join(source, 'file'), 'from the host');
    const binds = [bindOf(`${source}:/ro:ro`, '/'), bindOf(`${source}:/rw/deep`, '/')];
    expect(output('cat /ro/file; touch /ro/x 2>&1 || true; echo changed > /rw/deep/file', { binds })).toBe(
      'from the hosttouch: /ro/x: Read-only file system\n',
    );
    expect(readFileSync(join(source, 'file'), 'utf8')).toBe('changed\n');
  });

  test('shared and slave propagation work if the source allows them', () => {
    const source = mkdtempSync(join(base, 'shared-'));
    execFileSync('mount', ['-t', 'tmpfs', 'none', source]);
    try {
      execFileSync('mount', ['--make-shared', source]);
      for (const mode of ['rslave', 'rshared']) output('ls /x', { binds: [bindOf(`${source}:/x:${mode}`, '/')] });
    } finally {
      execFileSync('umount', ['-l', source]);
    }
  });

  test('tmpfs and shm have their sizes and options', () => {
    const options = { tmpfs: [parseTmpfs('/scratch:size=2m,mode=700,exec')], shmSize: 8 * MIB };
    const lines = output('grep -E " (/scratch|/dev/shm) " /proc/mounts', options);
    expect(lines).toMatch(/shm \/dev\/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=8192k/);
    expect(lines).toMatch(/tmpfs \/scratch tmpfs rw,nosuid,nodev,relatime,size=2048k,mode=700/);
  });

  test('cgroups are mounted read-only', () => {
    expect(output('grep cgroup /proc/mounts')).not.toMatch(/cgroup\S* rw,/);
    expect(run('ls -d /sys/fs/cgroup/*').status).toBe(0);
  });

  test('generated files are mounted', () => {
    const hosts = join(base, 'hosts');
    writeFileSync(hosts, '127.0.0.1 box\n');
    const generated = { hosts, hostname: hosts, resolvConf: hosts };
    expect(output('cat /etc/hosts; touch /etc/hosts && echo writable', { generated })).toBe(
      '127.0.0.1 box\nwritable\n',
    );
    expect(run('touch /etc/hosts', { generated, readOnly: true }).stderr).toContain('Read-only file system');
  });
});

describe('the process', () => {
  test('has its environment, working directory, hostname and arguments', () => {
    const image = {
      entrypoint: ['/bin/sh', '-c', 'echo "$0 $1"; env; pwd; hostname'],
      env: ['A=image', 'B=image'],
      workingDir: '/tmp',
    };
    const printed = output('', { image, command: ['zero', 'one'], env: ['A=given', 'B'] }).split('\n');
    const usualPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    expect(printed[0]).toBe('zero one');
    expect(printed).toEqual(expect.arrayContaining(['HOSTNAME=box', usualPath, 'A=given', 'HOME=/', '/tmp', 'box']));
    expect(printed.some((line) => line.startsWith('B='))).toBe(false);
  });

  test('--init runs a tini as PID 1', () => {
    const tini = join(base, 'tini');
    writeFileSync(tini, '#!/bin/sh\necho "init as $$: $0 $*"\nshift\nexec "$@"\n', { mode: 0o755 });
    expect(output('echo hello', { init: tini })).toBe('init as 1: /sbin/docker-init -- /bin/sh -c echo hello\nhello\n');
  });

  test('has its rlimits, also unlimited ones, and its OOM score', () => {
    const ulimits = [parseUlimit('nofile=1024:2048'), parseUlimit('core=-1')];
    const printed = output('cat /proc/self/limits /proc/self/oom_score_adj', { ulimits, oomScoreAdj: 123 });
    expect(printed).toMatch(/Max open files +1024 +2048/);
    expect(printed).toMatch(/Max core file size +unlimited +unlimited/);
    expect(printed).toMatch(/^123$/m);
  });

  test("in a network of its own has loopback up and all ports unprivileged; on the host's network nothing changes", () => {
    const user = { uid: 1000, gid: 1000, additionalGids: [1000] };
    const script = 'ip -o link; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range';
    const printed = output(script, { user });
    expect(printed).toMatch(/^1: lo: <LOOPBACK,UP,LOWER_UP>/);
    expect(printed).toMatch(/\n0\n0\t2147483647\n$/);
    const hosts = readdirSync('/sys/class/net').filter((name) => lstatSync(`/sys/class/net/${name}`).isSymbolicLink());
    const link = output('cat /proc/net/dev', { network: 'host' });
    for (const name of hosts) expect(link).toContain(`${name}:`);
  });

  test('an exec keeps an unlimited rlimit', () => {
    const spec = buildSpec({
      id: 'x',
      namespace: 'n',
      hostname: 'h',
      image: { cmd: ['x'] },
      user: { uid: 0, gid: 0, additionalGids: [0] },
      network: 'own',
      host,
      ulimits: [parseUlimit('core=-1')],
    });
    expect(encodeJson(decodeRuntimeSpec(encodeJson(spec)).process)).toContain('"soft":18446744073709551615');
  });
});

describe('limits', () => {
  test('of memory, swap, CPUs and processes are set on cgroup v1', ({ skip }) => {
    skip(host.cgroup2, 'this host has cgroup v2');
    const options = { limits: { memory: 32 * MIB, nanoCpus: 500_000_000, pidsLimit: 20 } };
    const read = (controller: string, file: string) => `cat /sys/fs/cgroup/${controller}/${file}`;
    const files = [
      read('memory', 'memory.limit_in_bytes'),
      read('cpu', 'cpu.cfs_quota_us'),
      read('cpu', 'cpu.cfs_period_us'),
      read('pids', 'pids.max'),
      ...(host.swapLimit ? [read('memory', 'memory.memsw.limit_in_bytes')] : []),
    ];
    const swap = host.swapLimit ? `${64 * MIB}\n` : '';
    expect(output(files.join('; '), options)).toBe(`${32 * MIB}\n50000\n100000\n20\n${swap}`);
  });
});
