import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { type PrivateContainerd, startContainerd, testbedEnvironment } from '../../testbed/private-containerd.ts';
import { mustRun } from '../../testbed/program.ts';
import { HEALTHCTL, openBed, until } from './support/harness.ts';

describe('a containerd that was started with unusual settings', () => {
  let containerd: PrivateContainerd;
  let ok: (...args: string[]) => Promise<string>;
  const image = 'docker.io/test/odd:1';
  beforeAll(async () => {
    // Of a unit, a shell, or another starter. An OOM score below 0 needs a capability that not every host gives.
    containerd = await startContainerd({
      prelude: 'umask 077; ulimit -n 5000; renice -n 7 -p $$ >/dev/null; echo 300 >/proc/$$/oom_score_adj',
    });
    const { directory, address } = containerd;
    const HEALTHCTL_TOML = join(directory, 'healthctl.toml');
    mkdirSync(join(directory, 'tmp'), { recursive: true });
    writeFileSync(HEALTHCTL_TOML, 'autostart = false\nnetwork = "none"\n');
    const env = { ...testbedEnvironment(directory), HEALTHCTL_TOML };
    const roots = ['--run-root', join(directory, 'run'), '--data-root', join(directory, 'data')];
    const call = [HEALTHCTL, '--address', address, '--namespace', `odd-${process.pid}`, ...roots];
    ok = async (...args) => (await mustRun([...call, ...args], { env })).trim();
    const archive = join(directory, 'image.tar');
    writeFileSync(archive, await dockerArchive({ name: image, config: {} }));
    await ok('load', '-q', '-i', archive);
  });
  afterAll(() => containerd.stop());

  const score = 'cat /proc/self/oom_score_adj';
  const settings = `${score}; umask; cut -d' ' -f19 /proc/self/stat; ulimit -n`;

  // Docker 28.5.2 prints the same if its dockerd was started in this way: its spec has the score, its daemon sets the
  // umask, the rest is containerd's.
  test("containers have Docker's OOM score and umask, and containerd's limits and niceness", async () => {
    expect(await ok('run', '--rm', image, 'sh', '-c', settings)).toBe('0\n0022\n7\n5000');
    expect(await ok('run', '--rm', '--oom-score-adj', '500', image, 'sh', '-c', score)).toBe('500');
  });

  test('exec, checks of each kind, and a restarted container have the same', async () => {
    const check = ['--health-interval', '1h', '--health-cmd', score];
    await ok('run', '-d', '--name', 'fresh', ...check, image);
    await ok('run', '-d', '--name', 'resident', ...check, '--health-exec', 'resident', '--oom-score-adj', '7', image);
    for (const [name, expected] of [
      ['fresh', '0'],
      ['resident', '7'],
    ] as const) {
      const outputs = () => ok('inspect', '--format', '{{range .State.Health.Log}}{{.Output}}{{end}}', name);
      expect(await ok('exec', name, 'sh', '-c', score)).toBe(expected);
      expect(await ok('exec', '--privileged', name, 'sh', '-c', score)).toBe(expected);
      await ok('container', 'healthcheck', name);
      expect(await outputs()).toBe(expected);
      await ok('restart', '-t', '0', name);
      expect(await ok('exec', name, 'sh', '-c', 'cat /proc/1/oom_score_adj')).toBe(expected);
    }
  });
});

describe('a caller with an unusual umask', () => {
  const inContainer = '/etc/hosts /etc/hostname /etc/resolv.conf /named /anonymous /source /dev/shm';

  /** What a container can read, and the modes of everything that was made on the host. */
  async function modesUnder(umask: string): Promise<{ readonly seen: string; readonly made: string }> {
    await using bed = await openBed(['autostart = true']);
    const image = await bed.image({ Volumes: { '/anonymous': {} } });
    const call = [HEALTHCTL, ...bed.globalFlags];
    const under = async (...args: string[]) =>
      (await mustRun(['sh', '-c', `umask ${umask}; exec "$@"`, 'sh', ...call, ...args], { env: bed.env })).trim();
    const mounts = ['-v', 'named:/named', '-v', `${bed.directory}/new/source:/source`, '--ipc', 'shareable'];
    const healing = ['--health-cmd', 'test -e /source/ok', '--health-interval', '100ms', '--health-retries', '1'];
    const policy = ['--health-on-failure', 'restart', '--restart', 'always', '--stop-timeout', '0'];
    await under('volume', 'create', 'made');
    const files = ['--pidfile', join(bed.directory, 'pid'), '--cidfile', join(bed.directory, 'cid')];
    await under('run', '-d', '--name', 'web', ...mounts, ...healing, ...policy, ...files, image);
    const restarts = async () => Number(await under('inspect', '--format', '{{.RestartCount}}', 'web'));
    await until(async () => (await restarts()) > 0, { withinMs: 30_000 });
    writeFileSync(join(bed.directory, 'new/source/ok'), '');
    await until(async () => (await under('inspect', '--format', '{{.State.Health.Status}}', 'web')) === 'healthy');
    const seen = await under(
      'exec',
      '--user',
      'probe',
      'web',
      'sh',
      '-c',
      `cat /etc/hosts && stat -c '%a %n' ${inContainer}`,
    );
    const list = ['-printf', '%y %m %P\n'];
    const places = ['run', 'data', 'new'].map((name) => join(bed.directory, name));
    const found = execFileSync('find', [...places, join(bed.directory, 'pid'), join(bed.directory, 'cid'), ...list]);
    // The directories of checks are temporary.
    const lines = found
      .toString()
      .split('\n')
      .filter((line) => !/healthctl-check-|attached|exec/.test(line));
    const made = lines.map((line) => line.replaceAll(/[0-9a-f]{12,}/g, 'ID').replaceAll(bed.namespace, 'NS'));
    await under('rm', '-f', 'web');
    return { seen: seen.split('\n').slice(-7).join('\n'), made: [...new Set(made)].sort().join('\n') };
  }

  test('does not affect the modes of files: containers can read theirs, and the monitor restarts them', async () => {
    const [usual, strict, open] = await Promise.all(['022', '077', '000'].map(modesUnder));
    expect(usual?.seen).toBe(
      [
        '644 /etc/hosts',
        '644 /etc/hostname',
        '644 /etc/resolv.conf',
        '755 /named',
        '755 /anonymous',
        '755 /source',
        '1777 /dev/shm',
      ].join('\n'),
    );
    expect(strict).toEqual(usual);
    expect(open).toEqual(usual);
  });
});

describe('a caller that starts the monitor', () => {
  test('does not pass its limits, niceness, directory and environment on to the monitor', async () => {
    await using bed = await openBed(['autostart = true']);
    const image = await bed.image();
    const odd =
      'umask 077; ulimit -S -n 64; ulimit -S -f 1000; renice -n 12 -p $$ >/dev/null; echo 200 >/proc/$$/oom_score_adj';
    const call = [HEALTHCTL, ...bed.globalFlags, 'run', '-d', '--name', 'web', '--health-cmd', 'true', image];
    await mustRun(['sh', '-c', `${odd}; exec "$@"`, 'sh', ...call], {
      cwd: bed.directory,
      env: { ...bed.env, HEALTHCTL_TOML: './healthctl.toml', NOTIFY_SOCKET: '/nowhere', NODE_OPTIONS: '--no-warnings' },
    });
    const pid = JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json'])).pid as number;
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
    expect(read('status')).toMatch(/^Umask:\t0022$/m);
    expect(read('oom_score_adj')).toBe('0\n');
    expect(read('limits')).toMatch(/^Max file size +unlimited/m);
    expect(Number(/^Max open files +(\d+)/m.exec(read('limits'))?.[1])).toBeGreaterThan(1_000);
    // Raised, as for a monitor that a shell with niceness 0 started.
    expect(Number(read('stat').split(') ')[1]?.split(' ')[16])).toBe(-10);
    const names = read('environ')
      .split('\0')
      .map((variable) => variable.split('=')[0]);
    expect(names.filter((name) => name !== '' && !name?.startsWith('HEALTHCTL_')).sort()).toEqual([
      'MALLOC_ARENA_MAX',
      'PATH',
    ]);
    expect(execFileSync('readlink', [`/proc/${pid}/cwd`]).toString()).toBe('/\n');
  });
});
