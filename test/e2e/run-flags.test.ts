import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/containerd/client.ts';
import { encodeJson } from '../../src/lib/json.ts';
import { decodeRuntimeSpec } from '../../src/oci/read-spec.ts';
import { isKernelSince } from '../../src/oci/seccomp.ts';
import { isAppArmorEnabled } from '../../src/system/apparmor.ts';
import { type Bed, openBed, until } from './support/harness.ts';

const isCgroup1 = existsSync('/sys/fs/cgroup/memory');
const isAtLeastLinux512 = isKernelSince(release(), '5.12');
const hasRealtime = existsSync('/sys/fs/cgroup/cpu/cpu.rt_period_us');

describe('flags of run', () => {
  let bed: Bed;
  let image: string;
  beforeAll(async () => {
    bed = await openBed();
    image = await bed.image();
    await bed.ok(['run', '--rm', image, 'true']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  const hostConfig = async (name: string) =>
    JSON.parse(await bed.ok(['inspect', '-f', '{{json .HostConfig}}', name])) as Record<string, unknown>;
  const pidOf = (name: string) => bed.ok(['inspect', '-f', '{{.State.Pid}}', name]);
  const namespaceOf = async (name: string, type: string) => readlinkSync(`/proc/${await pidOf(name)}/ns/${type}`);

  test.skipIf(isAppArmorEnabled())('a container that was created with AppArmor starts without it', async () => {
    const name = bed.name('confined');
    const id = await bed.ok(['create', '--name', name, image, 'sleep', '600']);
    const { containers, close } = connect(bed);
    try {
      const spec = decodeRuntimeSpec((await containers.get(id)).specJson() ?? '');
      const process = { ...spec.process, apparmorProfile: 'healthctl-default' };
      await containers.setSpec(id, encodeJson({ ...spec, process }));
    } finally {
      close();
    }
    expect(await bed.cli(['start', name])).toMatchObject({
      code: 0,
      stdout: `${name}\n`,
      stderr: `WARNING: this host has no AppArmor: ${name} runs without its profile healthctl-default\n`,
    });
    await bed.ok(['stop', '-t', '0', name]);
    expect(await bed.cli(['start', name])).toMatchObject({ code: 0, stderr: '' });
    await bed.ok(['rm', '-f', name]);
  });

  test('limits, devices and sysctls reach the runtime and inspect', async () => {
    const before = await bed.traces();
    const devices = join(bed.directory, 'devices');
    mkdirSync(join(devices, 'sub'), { recursive: true });
    execFileSync('mknod', [join(devices, 'sub/zero'), 'c', '1', '5']);
    const pidfile = join(bed.directory, 'web.pid');
    const flags = [
      ...['--cpu-shares', '512', '--cpu-period', '50000', '--cpu-quota', '25000', '--cpuset-cpus', '0'],
      ...['--cpuset-mems', '0', '--memory', '64m', '--memory-swap', '-1', '--memory-reservation', '32m'],
      ...['--oom-score-adj', '321', '--annotation', 'a.b=c', '--sysctl', 'net.core.somaxconn=77'],
      ...['--sysctl', 'kernel.msgmax=9000', '--device', '/dev/kmsg:/dev/mine:r', '--device', `${devices}:/dev/many`],
      ...['--device-cgroup-rule', 'c 10:* r', '--pidfile', pidfile, '--cgroupns', 'private'],
    ];
    await bed.ok(['run', '-d', '--name', 'limited', ...flags, image]);
    expect(readFileSync(pidfile, 'utf8')).toBe(await pidOf('limited'));
    const script = [
      'cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax /proc/1/oom_score_adj',
      'ls -l /dev/mine | cut -c1',
      '(echo x > /dev/mine) 2>&1 | grep -o "Operation not permitted"',
      'head -c 3 /dev/many/sub/zero | wc -c',
      'grep Cpus_allowed_list /proc/self/status | cut -f2',
    ];
    const out = await bed.ok(['exec', 'limited', 'sh', '-c', script.join('; ')]);
    expect(out.split('\n')).toEqual(['77', '9000', '321', 'c', 'Operation not permitted', '3', '0']);
    expect(await hostConfig('limited')).toMatchObject({
      CpuShares: 512,
      CpuPeriod: 50_000,
      CpuQuota: 25_000,
      CpusetCpus: '0',
      CpusetMems: '0',
      Memory: 64 << 20,
      MemorySwap: -1,
      MemoryReservation: 32 << 20,
      OomScoreAdj: 321,
      Annotations: { 'a.b': 'c' },
      Sysctls: { 'net.core.somaxconn': '77', 'kernel.msgmax': '9000' },
      Devices: [
        { PathOnHost: '/dev/kmsg', PathInContainer: '/dev/mine', CgroupPermissions: 'r' },
        { PathOnHost: devices, PathInContainer: '/dev/many', CgroupPermissions: 'rwm' },
      ],
      DeviceCgroupRules: ['c 10:* r'],
      CgroupnsMode: 'private',
    });
    expect(await namespaceOf('limited', 'cgroup')).not.toBe(readlinkSync('/proc/self/ns/cgroup'));
    if (isCgroup1) {
      const id = await bed.ok(['inspect', '-f', '{{.Id}}', 'limited']);
      const read = (controller: string, file: string) =>
        readFileSync(`/sys/fs/cgroup/${controller}/${bed.namespace}/${id}/${file}`, 'utf8').trim();
      expect(read('cpu', 'cpu.shares')).toBe('512');
      expect(read('cpu', 'cpu.cfs_quota_us')).toBe('25000');
      expect(read('memory', 'memory.soft_limit_in_bytes')).toBe(`${32 << 20}`);
    }
    await bed.ok(['rm', '-f', 'limited']);
    expect(existsSync(pidfile)).toBe(false);
    await bed.expectNothingLeft(before);
  });

  test.skipIf(!isAtLeastLinux512)('a read-only bind is read-only with what is mounted below it', async () => {
    const optionsOf = async (...flags: string[]) => {
      const lines = await bed.ok(['run', '--rm', ...flags, image, 'grep', ' /host/shm ', '/proc/self/mountinfo']);
      return lines.split('\n').map((line) => line.split(' ')[5]?.split(',')[0]);
    };
    const mount = 'type=bind,src=/dev,dst=/host,ro';
    expect(new Set(await optionsOf('-v', '/dev:/host:ro'))).toEqual(new Set(['ro']));
    expect(new Set(await optionsOf('--mount', mount))).toEqual(new Set(['ro']));
    expect(new Set(await optionsOf('--mount', `${mount},bind-recursive=writable`))).toEqual(new Set(['rw']));
  });

  test("capabilities have the kernel's names", async () => {
    const flags = ['--cap-add', 'net_admin', '--cap-add', 'CAP_SYS_TIME', '--cap-drop', 'all', '--cap-drop', 'Chown'];
    await bed.ok(['create', '--name', 'caps', ...flags, image]);
    expect(await hostConfig('caps')).toMatchObject({
      CapAdd: ['CAP_NET_ADMIN', 'CAP_SYS_TIME'],
      CapDrop: ['ALL', 'CAP_CHOWN'],
    });
    await bed.ok(['rm', 'caps']);
  });

  test('--cidfile through a dangling link creates its target', async () => {
    const [link, file] = [join(bed.directory, 'cid-link'), join(bed.directory, 'cid-file')];
    symlinkSync('cid-file', link);
    const id = await bed.ok(['create', '--cidfile', link, await bed.image()]);
    expect([readlinkSync(link), readFileSync(file, 'utf8')]).toEqual(['cid-file', id]);
  });

  test('--domainname sets the domain name', async () => {
    const flags = ['--hostname', 'web', '--domainname', 'example.org'];
    await bed.ok(['run', '-d', '--name', 'domain', '--network', 'none', ...flags, image, 'sleep', '600']);
    const out = await bed.ok(['exec', 'domain', 'sh', '-c', 'cat /proc/sys/kernel/domainname; hostname']);
    expect(out.split('\n')).toEqual(['example.org', 'web']);
    expect(await bed.ok(['inspect', '-f', '{{.Config.Hostname}} {{.Config.Domainname}}', 'domain'])).toBe(
      'web example.org',
    );
    await bed.ok(['rm', '-f', 'domain']);
    const refused = await bed.cli(['run', '--rm', '--uts', 'host', '--domainname', 'example.org', image, 'true']);
    expect(refused).toMatchObject({
      code: 125,
      stderr: 'healthctl: conflicting options: domainname and the UTS mode\n',
    });
  });

  test('real-time scheduling is limited if the kernel can, and refused otherwise', async () => {
    const flags = ['--cpu-rt-runtime', '5000', '--cpu-rt-period', '1000000'];
    const created = await bed.cli(['create', '--name', 'timely', ...flags, image]);
    if (!hasRealtime) {
      expect(created).toMatchObject({ code: 1, stdout: '' });
      expect(created.stderr).toContain('kernel does not support CPU real-time scheduler');
      return;
    }
    expect(created).toMatchObject({ code: 0, stderr: '' });
    expect(await hostConfig('timely')).toMatchObject({ CpuRealtimePeriod: 1_000_000, CpuRealtimeRuntime: 5000 });
    const parent = `/sys/fs/cgroup/cpu/${bed.namespace}`;
    const budget = join(parent, 'cpu.rt_runtime_us');
    const refused = await bed.cli(['start', 'timely']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`a cgroup above has no real-time budget left: write to ${budget},`);
    mkdirSync(parent, { recursive: true });
    writeFileSync(budget, '10000');
    await bed.ok(['start', 'timely']);
    const id = await bed.ok(['inspect', '-f', '{{.Id}}', 'timely']);
    expect(readFileSync(join(parent, id, 'cpu.rt_runtime_us'), 'utf8')).toBe('5000\n');
    await bed.ok(['rm', '-f', 'timely']);
    writeFileSync(budget, '0');
  });

  test('joins namespaces of the host and of other containers, which are resolved at each start', async () => {
    const before = await bed.traces();
    await bed.ok(['run', '-d', '--name', 'donor', '--ipc', 'shareable', '--shm-size', '1m', image]);
    await bed.ok(['run', '-d', '--name', 'guest', '--ipc', 'container:donor', '--pid', 'container:donor', image]);
    await bed.ok(['exec', 'donor', 'sh', '-c', 'echo shared > /dev/shm/note']);
    expect(await bed.ok(['exec', 'guest', 'sh', '-c', 'cat /dev/shm/note; df -k /dev/shm | tail -1'])).toMatch(
      /^shared\nshm +1024 /,
    );
    for (const type of ['ipc', 'pid']) expect(await namespaceOf('guest', type)).toBe(await namespaceOf('donor', type));
    const donorId = await bed.ok(['inspect', '-f', '{{.Id}}', 'donor']);
    const joined = `container:${donorId}`;
    expect(await hostConfig('guest')).toMatchObject({ IpcMode: joined, PidMode: joined });
    // The donor is another process after its restart: its old path is nobody's, or another process's.
    const old = await pidOf('donor');
    await bed.ok(['stop', '-t', '0', 'guest', 'donor']);
    expect(await bed.cli(['start', 'guest'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`failed to join PID namespace: container ${donorId} is not running`),
    });
    await bed.ok(['start', 'donor', 'guest']);
    expect(await namespaceOf('guest', 'pid')).toBe(await namespaceOf('donor', 'pid'));
    expect(await pidOf('donor')).not.toBe(old);
    expect(await bed.ok(['exec', 'guest', 'ls', '/dev/shm'])).toBe('');
    await bed.ok(['rm', '-f', 'guest', 'donor']);

    const script = 'for type in pid uts ipc; do readlink /proc/self/ns/$type; done; hostname';
    const flags = ['--pid', 'host', '--uts', 'host', '--ipc', 'host'];
    const host = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
    expect(`${await bed.ok(['run', '--rm', ...flags, image, 'sh', '-c', script])}\n`).toBe(host);
    expect((await bed.cli(['run', '--rm', '--ipc', 'none', image, 'ls', '/dev/shm'])).code).toBe(1);
    await bed.expectNothingLeft(before);
  });

  test('refuses impossible combinations before anything is made', async () => {
    const before = await bed.traces();
    const refused = async (...flags: string[]) => (await bed.cli(['create', ...flags, image])).stderr.split('\n')[0];
    const cases: readonly (readonly [string[], string])[] = [
      [['--network', 'host', '--sysctl', 'net.a=1'], 'sysctl "net.a" not allowed in host network namespace'],
      [['--uts', 'host', '--hostname', 'x'], 'conflicting options: hostname and the UTS mode'],
      [['--pid', 'container:nobody'], 'No such container: nobody'],
      [['--cpuset-cpus', '4000'], 'Requested CPUs are not available - requested 4000, available: 0'],
      [
        ['--device', '/dev/nothing'],
        'error gathering device information while adding custom device "/dev/nothing": no such file or directory',
      ],
      [
        ['--device', '/etc/passwd'],
        'error gathering device information while adding custom device "/etc/passwd": not a device node',
      ],
      [['--oom-score-adj', '1001'], 'Invalid value 1001, range for oom score adj is [-1000, 1000]'],
    ];
    const outcomes = await Promise.all(cases.map(([flags]) => refused(...flags)));
    expect(outcomes.map((line, index) => line?.startsWith(`healthctl: ${cases[index]?.[1]}`) || line)).toEqual(
      cases.map(() => true),
    );
    await bed.ok(['create', '--name', 'private', image]);
    expect(await refused('--ipc', 'container:private')).toMatch(
      /^healthctl: failed to join IPC namespace: container [0-9a-f]{64}: non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)$/,
    );
    await bed.ok(['rm', 'private']);
    expect((await bed.cli(['run', '-d', '-a', 'stdout', image])).stderr).toContain(
      'conflicting options: cannot specify both --attach and --detach',
    );
    await bed.expectNothingLeft(before);
  });

  test('--attach shows the given streams, and a forwarded signal is published', async () => {
    const both = ['sh', '-c', 'echo out; echo err >&2'];
    expect(await bed.cli(['run', '--rm', '-a', 'stderr', image, ...both])).toMatchObject({
      stdout: '',
      stderr: 'err\n',
    });
    expect(await bed.cli(['run', '--rm', '-a', 'STDOUT', image, ...both])).toMatchObject({
      stdout: 'out\n',
      stderr: '',
    });
    const events = bed.spawn([
      'events',
      '--filter',
      'event=kill',
      '--format',
      '{{.Action}} {{.Actor.Attributes.signal}}',
    ]);
    const trap = 'trap "exit 7" USR1; echo ready; while :; do sleep 0.1; done';
    const name = bed.name('trap');
    const running = bed.spawn(['run', '--rm', '--name', name, image, 'sh', '-c', trap]);
    await until(() => running.stdout().includes('ready'), { withinMs: 10_000 });
    // SIGWINCH does nothing. Once its event is seen, later ones are seen too.
    const isSubscribed = async () => {
      await bed.ok(['kill', '-s', 'WINCH', name]);
      return events.stdout().includes('kill 28');
    };
    await until(isSubscribed);
    process.kill(running.pid, 'SIGUSR1');
    expect((await running.exited).code).toBe(7);
    await until(() => events.stdout().includes('kill 10'), { withinMs: 10_000 });
    process.kill(events.pid, 'SIGTERM');
    await events.exited;
  });
});

test('the monitor restarts a guest in the present namespace of its donor', async () => {
  await using bed = await openBed(['autostart = true']);
  const image = await bed.image();
  const inspect = (name: string, field: string) => bed.ok(['inspect', '-f', `{{${field}}}`, name]);
  await bed.ok(['run', '-d', '--name', 'donor', '--restart', 'always', image]);
  await bed.ok(['run', '-d', '--name', 'guest', '--restart', 'always', '--pid', 'container:donor', image]);
  const before = await inspect('donor', '.State.Pid');
  process.kill(Number(before), 'SIGKILL'); // the end of a PID namespace's first process ends all others
  const namespaceOf = async (name: string): Promise<string | undefined> => {
    const pid = Number(await inspect(name, '.State.Pid'));
    return pid > 0 && `${pid}` !== before && existsSync(`/proc/${pid}/ns/pid`)
      ? readlinkSync(`/proc/${pid}/ns/pid`)
      : undefined;
  };
  const isTogether = async () => {
    const [donor, guest] = [await namespaceOf('donor'), await namespaceOf('guest')];
    return donor !== undefined && donor === guest;
  };
  await until(isTogether, { withinMs: 15_000, everyMs: 100 });
});
