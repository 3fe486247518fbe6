import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/containerd/client.ts';
import type { DaemonStatus } from '../../src/daemon/api/answers.ts';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { makeFifo } from '../../src/system/fifo.ts';
import { listProcesses } from '../../src/system/proc.ts';
import type { RunningProgram } from '../../testbed/program.ts';
import { unmount } from '../../testbed/testbed-remains.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

const socket = (name = 'api.sock') => join(bed.runRoot, hostIdOf(bed.address), '.daemon', name);

async function startMonitor(): Promise<RunningProgram> {
  const monitor = bed.spawn(['daemon', 'run', '--log-format', 'text']);
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
  return monitor;
}

async function stopMonitor(monitor: RunningProgram): Promise<void> {
  monitor.kill('SIGTERM');
  expect((await monitor.exited).code).toBe(0);
}

/** So that checks of one test do not disturb another. */
afterEach(async () => {
  const names = await bed.ok(['ps', '-aq']);
  if (names !== '') await bed.ok(['rm', '-f', ...names.split('\n')]);
});

async function run(...flags: string[]): Promise<string> {
  const name = bed.name('m');
  await bed.ok(['run', '-d', '--name', name, ...flags, image, 'sleep', '600']);
  return name;
}

test('a restart of a container with --rm starts it again; after its end the monitor removes it', async () => {
  const monitor = await startMonitor();
  const restart = async (): Promise<void> => {
    const name = await run('--rm');
    const pid = await bed.ok(['inspect', '-f', '{{.State.Pid}}', name]);
    await bed.ok(['restart', '-t', '0', name]);
    const after = await bed.ok(['inspect', '-f', '{{.State.Status}} {{.State.Pid}}', name]);
    expect(after).toMatch(/^running \d+$/);
    expect(after).not.toBe(`running ${pid}`);
    await bed.ok(['stop', '-t', '0', name]);
    await until(async () => (await bed.ok(['ps', '-aq', '--filter', `name=${name}`])) === '', { withinMs: 20_000 });
  };
  await Promise.all([restart(), restart(), restart()]);
  await stopMonitor(monitor);
});

const check = (command: string, ...more: string[]) => ['--health-cmd', command, '--health-interval', '300ms', ...more];

interface Inspected {
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly OOMKilled: boolean;
    readonly ExitCode: number;
    readonly StartedAt: string;
    readonly Health?: {
      readonly Status: string;
      readonly FailingStreak: number;
      readonly Log: readonly { readonly Start: string; readonly End: string; readonly ExitCode: number }[];
    };
  };
}
const inspect = async (name: string): Promise<Inspected> => JSON.parse(await bed.ok(['inspect', name]))[0];
const health = async (name: string) => (await inspect(name)).State.Health;
const untilStatus = (name: string, status: string) =>
  until(async () => (await health(name))?.Status === status, { withinMs: 20_000 });
const status = async (): Promise<DaemonStatus> => JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json']));

/** Asks over HTTP like any other program. */
function ask(method: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket(), method, path }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a monitor', () => {
  let monitor: RunningProgram;
  beforeAll(async () => {
    monitor = await startMonitor();
  });
  afterAll(() => stopMonitor(monitor));

  test('checks by itself: healthy, broken, unhealthy, repaired, healthy', async () => {
    const name = await run(...check('test ! -e /broken', '--health-retries', '2'));
    await untilStatus(name, 'healthy');
    await bed.ok(['exec', name, 'touch', '/broken']);
    await untilStatus(name, 'unhealthy');
    expect((await health(name))?.FailingStreak).toBeGreaterThanOrEqual(2);
    expect(await bed.ok(['ps', '--filter', 'health=unhealthy', '--format', '{{.Names}}'])).toContain(name);
    await bed.ok(['exec', name, 'rm', '/broken']);
    await untilStatus(name, 'healthy');
  });

  test('keeps the interval between the end of a check and the start of the next', async () => {
    const name = await run(...check('sleep 0.2'));
    await until(async () => ((await health(name))?.Log.length ?? 0) >= 4, { withinMs: 20_000 });
    const { State } = await inspect(name);
    const log = State.Health?.Log ?? [];
    for (const [index, { Start }] of log.slice(1).entries())
      expect(Date.parse(Start) - Date.parse(log[index]?.End ?? '')).toBeGreaterThanOrEqual(295);
    // The command that starts a container records the start a moment after the event from which the monitor counts.
    expect(Date.parse(log[0]?.Start ?? '') - Date.parse(State.StartedAt)).toBeGreaterThanOrEqual(200);
  });

  test('a pause keeps the state and ends the check in flight; checks continue afterwards', async () => {
    const name = await run(...check('test ! -e /slow || { rm /slow; sleep 3060; }'));
    await untilStatus(name, 'healthy');
    await bed.ok(['exec', name, 'touch', '/slow']);
    await until(() => listProcesses().length > 0 && isRunning('sleep 3060'), { withinMs: 10_000 });
    await bed.ok(['pause', name]);
    expect((await health(name))?.Status).toBe('healthy');
    await bed.ok(['unpause', name]);
    const before = (await health(name))?.Log.at(-1)?.Start ?? '';
    await until(async () => ((await health(name))?.Log.at(-1)?.Start ?? '') > before, { withinMs: 15_000 });
    expect((await health(name))?.Log.every(({ ExitCode }) => ExitCode === 0)).toBe(true);
  });

  test('a restart begins anew and keeps the log; an exit makes the container unhealthy', async () => {
    const name = await run(...check('true'));
    await untilStatus(name, 'healthy');
    await bed.ok(['restart', '-t', '0', name]);
    expect((await health(name))?.Log.length).toBeGreaterThan(0);
    await untilStatus(name, 'healthy');
    await bed.ok(['stop', '-t', '0', name]);
    expect(await health(name)).toMatchObject({ Status: 'unhealthy' });
  });

  test('checks a container that ctr made and labelled', async () => {
    const id = bed.name('ctr');
    const label = 'nerdctl/healthcheck={"Test":["CMD","true"],"Interval":200000000}';
    await bed.ctr('run', '-d', '--label', label, image, id, 'sleep', '600');
    await untilStatus(id, 'healthy');
  });

  test('makes checks by hand without changing the schedule', async () => {
    const name = await run('--health-cmd', 'exit 1', '--health-interval', '1h', '--health-retries', '2');
    expect((await bed.cli(['healthcheck', 'run', name])).stdout).toBe('starting\n');
    expect(await bed.cli(['healthcheck', 'run', name])).toMatchObject({ code: 1, stdout: 'unhealthy\n' });
    expect(await bed.cli(['container', 'healthcheck', name])).toMatchObject({ code: 0, stdout: '' });
    expect((await health(name))?.FailingStreak).toBe(3);
    const plain = await run();
    expect(await bed.cli(['container', 'healthcheck', plain])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('container has no health check configured'),
    });
    expect(await bed.cli(['container', 'healthcheck', 'nope'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no such container nope'),
    });
  });

  test('ps, inspect and rm print the same with and without it', async () => {
    const name = await run('-l', 'a=b', ...check('true', '--health-interval', '1h'));
    const stopped = await run();
    await bed.ok(['stop', '-t', '0', stopped]);
    const commands = [
      ['ps', '-a', '--no-trunc', '--format', '{{json .}}'],
      ['inspect', name, stopped],
      ['inspect', 'nope'],
    ];
    const normal = (text: string) => text.replace(/\d+ (second|minute)s?|Less than a second|About a minute/g, 'T');
    const withMonitor = [];
    for (const args of commands) withMonitor.push(await bed.cli(args));
    const direct = [];
    renameSync(socket(), `${socket()}.away`);
    for (const args of commands) direct.push(await bed.cli(args));
    renameSync(`${socket()}.away`, socket());
    expect(withMonitor.map(({ stdout }) => normal(stdout))).toEqual(direct.map(({ stdout }) => normal(stdout)));
    expect((await bed.cli(['rm', name])).stderr).toContain('container is running');
    await bed.ok(['rm', '-f', name, stopped]);
    expect(await bed.ok(['ps', '-aq', '--filter', `name=${name}`])).toBe('');
  });

  test('removes a container of run -d --rm after its end', async () => {
    const before = await bed.traces();
    const name = bed.name('rm');
    await bed.ok(['run', '-d', '--rm', '--name', name, image, 'sh', '-c', 'until [ -e /end ]; do sleep 0.1; done']);
    expect(await bed.ok(['ps', '-q', '--filter', `name=${name}`])).not.toBe('');
    await bed.ok(['exec', name, 'touch', '/end']);
    await until(async () => (await bed.ok(['ps', '-aq', '--filter', `name=${name}`])) === '', { withinMs: 15_000 });
    await bed.expectNothingLeft(before);
  });

  test('keeps the exit code of a run whose task is gone', async () => {
    const name = bed.name('exit');
    const id = await bed.ok(['run', '-d', '--name', name, image, 'sh', '-c', 'exit 7']);
    const note = join(bed.dataRoot, hostIdOf(bed.address), 'containers', bed.namespace, id, 'exit.json');
    await until(() => existsSync(note), { withinMs: 10_000 });
    await bed.ctr('tasks', 'rm', id);
    await until(async () => (await bed.ctr('tasks', 'ls')).includes(id) === false, { withinMs: 5_000 });
    expect((await inspect(name)).State).toMatchObject({ Status: 'exited', ExitCode: 7 });
  });

  test('events show the life of a container with its health, past and present', async () => {
    const since = `${Date.now() / 1000 - 1}`;
    const name = await run(...check('true'));
    await untilStatus(name, 'healthy');
    await bed.ok(['pause', name]);
    await bed.ok(['unpause', name]);
    await bed.ok(['rm', '-f', name]);
    const now = `${Date.now() / 1000}`;
    const printed = await bed.ok([
      'events',
      ...['--since', since, '--until', now, '--filter', `container=${name}`, '--format', '{{.Action}}'],
    ]);
    expect(printed.split('\n')).toEqual([
      'create',
      'start',
      'health_status: healthy',
      'pause',
      'unpause',
      'kill',
      'die',
      'destroy',
    ]);
  });

  test('wait and run --wait', async () => {
    const name = await run(...check('test -e /ready'));
    const waiting = bed.cli(['wait', '--condition', 'healthy', name]);
    await bed.ok(['exec', name, 'touch', '/ready']);
    expect((await waiting).code).toBe(0);
    const broken = await bed.cli([
      ...['run', '-d', '--wait', '--name', bed.name('wait')],
      ...[...check('echo not yet; exit 1', '--health-retries', '1'), image, 'sleep', '600'],
    ]);
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('not yet')]);
  });

  test('the API: health for load balancers, errors, missing containers', async () => {
    const name = await run(...check('test -e /ready', '--health-retries', '1000'));
    const path = `/v1/namespaces/${bed.namespace}/containers/${name}`;
    expect((await ask('GET', `${path}/healthz`)).status).toBe(503);
    await bed.ok(['exec', name, 'touch', '/ready']);
    await untilStatus(name, 'healthy');
    expect(await ask('GET', `${path}/healthz`)).toEqual({ status: 200, body: 'healthy\n' });
    expect(JSON.parse((await ask('GET', `${path}/health`)).body)).toMatchObject({
      Status: 'healthy',
      FailingStreak: 0,
    });
    expect(JSON.parse((await ask('POST', `${path}/healthcheck`)).body)).toMatchObject({ kind: 'recorded' });
    expect((await ask('GET', '/v1/namespaces/elsewhere/containers')).status).toBe(404);
    expect((await ask('GET', `${path}x/healthz`)).status).toBe(404);
    expect((await ask('PUT', path)).status).toBe(405);
    expect(await ask('HEAD', `${path}/healthz`)).toEqual({ status: 200, body: '' });
    expect((await ask('GET', '/v2/daemon')).status).toBe(404);
  });

  test('a second monitor refuses to start, and names the first', async () => {
    const second = await bed.cli(['daemon', 'run']);
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining(`process ${monitor.pid}`)]);
  });

  test('a second monitor refuses to start with another path of the socket', async () => {
    const alias = join(bed.directory, 'alias.sock');
    symlinkSync(bed.address, alias);
    const second = await bed.cli(['--address', alias, 'daemon', '--log-format', 'text']);
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining(`process ${monitor.pid}`)]);
  });

  test('a second monitor refuses to start with another run root, whose commands start none and name the first', async () => {
    const elsewhere = [
      '--run-root',
      join(bed.directory, 'other-run'),
      '--data-root',
      join(bed.directory, 'other-data'),
    ];
    const others = (...args: string[]) => bed.cli([...elsewhere, ...args], { env: { HEALTHCTL_TOML: autostarting() } });
    const first = `process ${monitor.pid}, with the run root ${bed.runRoot}`;
    const second = await others('daemon', 'run');
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining(first)]);
    const name = bed.name('other');
    const started = await others('run', '-d', '--name', name, ...check('true'), image, 'sleep', '600');
    // The existing monitor serves it, whatever its run root.
    expect([started.code, started.stderr]).toEqual([0, '']);
    const status = await others('daemon', 'status');
    expect([status.code, status.stderr]).toEqual([1, expect.stringContaining(first)]);
    const waited = await others('run', '-d', '--wait', ...check('true'), image, 'sleep', '600');
    expect([waited.code, waited.stderr]).toEqual([0, '']);
    // The first monitor checks the container.
    await untilStatus(name, 'healthy');
  });

  /** The configuration of the bed, but with commands that start monitors. */
  function autostarting(): string {
    const path = join(bed.directory, 'autostart.toml');
    const config = readFileSync(join(bed.directory, 'healthctl.toml'), 'utf8');
    writeFileSync(path, config.replace('autostart = false', 'autostart = true'));
    return path;
  }

  test('SIGHUP reads the configuration again, and the monitor continues', async () => {
    const name = await run(...check('true'));
    await untilStatus(name, 'healthy');
    const { startedAt } = await status();
    const config = join(bed.directory, 'healthctl.toml');
    const text = readFileSync(config, 'utf8');
    const reloadWith = async (more: string, said: RegExp) => {
      writeFileSync(config, `${text}${more}`);
      const from = monitor.stderr().length;
      monitor.kill('SIGHUP');
      await until(() => said.test(monitor.stderr().slice(from)), { withinMs: 10_000 });
    };
    await reloadWith('', /the configuration has not changed/);
    await reloadWith('max_checks = 0\n', /the configuration was not reloaded: .*max_checks/);
    await reloadWith(
      'socket_group = "nobody-of-this-name"\n',
      /the configuration was not reloaded: .*nobody-of-this-name/,
    );
    expect((await status()).startedAt).toBe(startedAt);
    const following = bed.spawn(['events', '--filter', 'event=die']);
    const fromApi = request({ socketPath: socket(), path: '/v1/events' });
    const printed = new Promise<string>((resolve) => {
      fromApi.on('response', (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('close', () => resolve(body));
      });
    });
    fromApi.end();
    await new Promise((resolve) => fromApi.once('response', resolve));
    await reloadWith('max_checks = 7\n', /ends: reload/);
    expect(await printed).not.toMatch(/(^|\n)\n$/); // an empty line would mean that the stream is complete
    await until(
      async () => (await bed.cli(['daemon', 'status'])).code === 0 && (await status()).startedAt > startedAt,
      {
        withinMs: 15_000,
      },
    );
    expect((await health(name))?.Status).toBe('healthy');
    const before = (await health(name))?.Log.at(-1)?.Start ?? '';
    await until(async () => ((await health(name))?.Log.at(-1)?.Start ?? '') > before, { withinMs: 10_000 });
    const other = await run();
    await bed.ok(['kill', other]);
    await until(() => following.stdout().includes(`name=${other}`), { withinMs: 10_000 });
    expect(following.stdout().trim().split('\n')).toHaveLength(1);
    following.kill('SIGINT');
    await following.exited;
  });

  test('a monitor that does not answer is reported, and containerd asked', async () => {
    const name = await run(...check('true'));
    monitor.kill('SIGSTOP');
    try {
      const pid = `process ${monitor.pid}`;
      const [ps, printed, stop] = await Promise.all([
        bed.cli(['ps', '--format', '{{.Names}}']),
        bed.cli(['daemon', 'status']),
        bed.cli(['daemon', 'stop']),
      ]);
      expect(ps).toMatchObject({ code: 0, stdout: `${name}\n` });
      expect(ps.stderr).toContain(`WARNING: the monitor, ${pid}, does not answer: asking containerd instead\n`);
      for (const { code, stderr } of [printed, stop]) {
        expect(code).toBe(1);
        expect(stderr).toContain(`healthctl: the monitor, ${pid}, does not answer\n`);
      }
    } finally {
      monitor.kill('SIGCONT');
    }
    // The stop was cancelled, as its error said: it does not happen later.
    await untilStatus(name, 'healthy');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await status()).pid).toBe(monitor.pid);
  });

  test('clients that only connect do not keep it from checking', async () => {
    const limit = (nofile: number) => setLimit(monitor.pid, nofile);
    const name = await run(...check('true'));
    await untilStatus(name, 'healthy');
    const { open } = (await status()).descriptors;
    limit(open + 20); // the monitor's own limit for connections is lower, if it was started so
    const sockets = Array.from({ length: 200 }, () => createConnection(socket()).on('error', () => {}));
    try {
      const seen = (await health(name))?.Log.at(-1)?.Start ?? '';
      await until(async () => ((await health(name))?.Log.at(-1)?.Start ?? '') > seen, { withinMs: 20_000 });
      expect((await status()).troubled).toBe(0);
    } finally {
      for (const each of sockets) each.destroy();
      limit(1_024);
    }
  });

  test('without descriptors, reports that checks cannot be made, and continues when there are some', async () => {
    const name = await run(...check('true'));
    await untilStatus(name, 'healthy');
    const samples: number[] = []; // a check in flight needs some
    for (let n = 0; n < 8; n += 1) samples.push((await status()).descriptors.open);
    setLimit(monitor.pid, Math.min(...samples) + 3);
    try {
      await until(async () => (await status()).troubled === 1, { withinMs: 15_000 });
      expect(await bed.ok(['daemon', 'status'])).toMatch(/^Descriptors: +\d+ of \d+ in use: checks cannot be made$/m);
      expect(monitor.stderr()).toContain('no file descriptors are left for checks');
    } finally {
      setLimit(monitor.pid, 1_024);
    }
    await until(async () => (await status()).troubled === 0, { withinMs: 15_000 });
  });

  /** Sets the soft limit of open files of a running process. */
  function setLimit(pid: number, nofile: number): void {
    execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${nofile}:`]);
  }

  test('results that cannot be stored are reported, and stored again when there is space', async () => {
    const name = await run(...check('test ! -e /broken', '--health-retries', '1', '--health-interval', '2s'));
    const id = await bed.ok(['inspect', '--format', '{{.Id}}', name]);
    // Right after a check: a check in flight would lose its FIFO, which is another failure.
    await untilStatus(name, 'healthy');
    const dir = join(bed.runRoot, hostIdOf(bed.address), bed.namespace, id);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', dir]);
    try {
      writeFileSync(join(dir, 'full'), 'x'.repeat(4096));
      await bed.ok(['exec', name, 'touch', '/broken']);
      await until(async () => (await status()).troubled === 1, { withinMs: 10_000 });
      expect(await bed.ok(['daemon', 'status'])).toMatch(/\nTrouble: +1 cannot be checked or recorded/);
      await until(() => monitor.stderr().includes('its check could not be made: no space left'), { withinMs: 10_000 });
      rmSync(join(dir, 'full'));
      await untilStatus(name, 'unhealthy');
      await until(async () => (await status()).troubled === 0);
    } finally {
      // Checks have FIFOs there, which the monitor and the shim keep open a moment longer than the check.
      await bed.cli(['kill', name]);
      await unmount(dir);
    }
  });

  test('a container that is removed right after its end still gives its exit code', async () => {
    const failed = await bed.cli(['run', '-d', '--rm', '--wait', image, 'sh', '-c', 'exit 7']);
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^healthctl: container \S+ exited \(7\)\n/),
    });
    const flags = ['--health-cmd', 'false', '--health-interval', '20s'];
    const before = await bed.cli(['run', '-d', '--rm', '--wait', ...flags, image, 'sh', '-c', 'sleep 0.3; exit 3']);
    expect(before.stderr).toMatch(/^healthctl: container \S+ exited \(3\) before it was healthy\n/);
  });

  test('makes no call and writes no file when nothing happens, and leaves no exec, FIFO or descriptor', async () => {
    const name = await run(...check('true', '--health-interval', '100ms'));
    await untilStatus(name, 'healthy');
    const descriptors = () => readdirSync(`/proc/${monitor.pid}/fd`).length;
    const before = descriptors();
    const made = (await status()).checksMade;
    await until(async () => (await status()).checksMade > made + 30, { withinMs: 30_000 });
    await bed.ok(['rm', '-f', name]);
    await until(() => descriptors() <= before, { withinMs: 10_000 });
  });
});

const isRunning = (line: string): boolean =>
  listProcesses().some(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() === line;
    } catch {
      return false;
    }
  });

describe('a monitor that dies', () => {
  // Also after a failed test.
  afterEach(() => bed.cli(['daemon', 'stop']));

  test('with kill -9 at any time: the next one continues with the state, and removes the check in flight', async () => {
    const name = await run(...check('test -e /slow && sleep 3061; true'));
    for (let round = 0; round < 3; round += 1) {
      const monitor = await startMonitor();
      await untilStatus(name, 'healthy');
      if (round === 2) {
        await bed.ok(['exec', name, 'touch', '/slow']);
        await until(() => isRunning('sleep 3061'), { withinMs: 10_000 });
      } else await new Promise((resolve) => setTimeout(resolve, 37 * round));
      monitor.kill('SIGKILL');
      await monitor.exited;
    }
    expect((await health(name))?.Status).toBe('healthy');
    await bed.ok(['exec', name, 'rm', '/slow']);
    const last = await startMonitor();
    await until(() => !isRunning('sleep 3061'), { withinMs: 10_000 });
    const before = (await health(name))?.Log.at(-1)?.Start ?? '';
    await until(async () => ((await health(name))?.Log.at(-1)?.Start ?? '') > before, { withinMs: 10_000 });
    await bed.ok(['rm', '-f', name]);
    await stopMonitor(last);
    const left = readdirSync(join(bed.runRoot, hostIdOf(bed.address), bed.namespace));
    expect(left.filter((entry) => entry.includes('removed') || entry.includes(name))).toEqual([]);
  });

  /** Leaves what a process leaves that dies while it starts a check: a shim that waits for a reader of the output. */
  async function leaveBlockedShim(name: string): Promise<string> {
    const id = await bed.ok(['inspect', '--format', '{{.Id}}', name]);
    const execId = 'healthctl-check-00000000deadbeef';
    const dir = join(bed.runRoot, hostIdOf(bed.address), bed.namespace, id, execId);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const output = join(dir, 'output');
    makeFifo(output);
    const { containers, tasks, close } = connect(bed);
    const { process } = JSON.parse((await containers.get(id)).specJson() ?? '{}');
    const processJson = JSON.stringify({ ...process, args: ['sleep', '3063'] });
    await tasks.exec({
      ...{ containerId: id, execId, processJson },
      ...{ stdin: '', stdout: output, stderr: output, terminal: false },
    });
    void tasks.start({ containerId: id, execId }).catch(() => undefined);
    await until(() => isRunning('sleep 3063'), { withinMs: 10_000 });
    close();
    return dir;
  }

  test('leaves a shim blocked in the start of a check: the next monitor frees it', async () => {
    const name = await run(...check('true'));
    const note = await leaveBlockedShim(name);
    const monitor = await startMonitor();
    await untilStatus(name, 'healthy');
    await until(() => !isRunning('sleep 3063') && !existsSync(note), { withinMs: 10_000 });
    await stopMonitor(monitor);
  });

  test('leaves a shim blocked in the start of a check: the container can be removed with --force', async () => {
    const name = await run(...check('true'));
    await leaveBlockedShim(name);
    await bed.ok(['rm', '-f', name], { timeoutMs: 25_000 }); // by itself it would block for 30 s
    expect(isRunning('sleep 3063')).toBe(false);
  });

  test('stops during a check without waiting for it, and leaves nothing of it', async () => {
    const monitor = await startMonitor();
    const name = await run(...check('sleep 3062', '--health-timeout', '1h'));
    await until(() => isRunning('sleep 3062'), { withinMs: 10_000 });
    await stopMonitor(monitor);
    expect(isRunning('sleep 3062')).toBe(false);
    expect(existsSync(socket())).toBe(false);
    expect(await health(name)).toMatchObject({ Status: 'starting', Log: [] });
    await bed.ok(['rm', '-f', name]);
  });
});

describe.skipIf(existsSync('/run/systemd/system'))('scheduler = "systemd" without systemd', () => {
  test('is reported for containers with a check, and by daemon start', async () => {
    await using own = await openBed(['scheduler = "systemd"']);
    const boxes = await own.image();
    expect(await own.cli(['run', '-d', boxes, 'sleep', '600'])).toMatchObject({ code: 0, stderr: '' });
    const checked = await own.cli(['run', '-d', '--health-cmd', 'true', boxes, 'sleep', '600']);
    expect(checked).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/nothing checks container \S+ by itself: this machine is not run by systemd\n$/),
    });
    expect(await own.cli(['daemon', 'start'])).toMatchObject({
      code: 1,
      stderr: 'healthctl: this machine is not run by systemd\nleave scheduler = "systemd" out of the configuration\n',
    });
  });
});

describe('autostart', () => {
  test('a command starts one monitor if there is something to do, which ends when there is nothing', async () => {
    await using own = await openBed(['autostart = true', 'idle_timeout = "1s"']);
    const ownImage = await own.image();
    await own.ok(['run', '-d', '--name', 'plain', ownImage, 'sleep', '600']);
    expect((await own.cli(['daemon', 'status'])).code).toBe(1);
    const flags = ['--health-cmd', 'true', '--health-interval', '200ms'];
    const [one, two] = await Promise.all(
      ['one', 'two'].map((name) => own.cli(['run', '-d', '--name', name, ...flags, ownImage, 'sleep', '600'])),
    );
    expect([one?.code, two?.code, one?.stderr, two?.stderr]).toEqual([0, 0, '', '']);
    await until(async () => (await own.ok(['ps', '-q', '--filter', 'health=healthy'])).split('\n').length === 2, {
      withinMs: 15_000,
    });
    const started: DaemonStatus = JSON.parse(await own.ok(['daemon', 'status', '--format', 'json']));
    expect(started).toMatchObject({ isAutostarted: true, watched: 2 });
    await own.ok(['rm', '-f', 'one', 'two']);
    await until(async () => (await own.cli(['daemon', 'status'])).code === 1, { withinMs: 15_000 });
    await until(() => !existsSync(`/proc/${started.pid}`), { withinMs: 10_000 });
    expect(await own.ok(['daemon', 'logs'])).toMatch(/ends: idle$/);
  });

  test('events show the first container from its creation on, each event once', async () => {
    await using own = await openBed(['autostart = true', 'idle_timeout = "1s"']);
    const ownImage = await own.image();
    const since = `${Date.now() / 1000 - 1}`;
    const flags = ['--health-cmd', 'true', '--health-interval', '300ms'];
    await own.ok(['run', '-d', '--wait', '--name', 'first', ...flags, ownImage, 'sleep', '600']);
    const printed = async () => {
      const range = ['--since', since, '--until', `${Date.now() / 1000}`];
      return own.ok([
        'events',
        ...range,
        '--filter',
        'type=container',
        '--format',
        '{{.Actor.Attributes.name}} {{.Action}}',
      ]);
    };
    const life = ['first create', 'first start', 'first health_status: healthy'];
    // The label, which ends a wait, is written before the event is published.
    const untilHealthEvent = (name: string) => until(async () => (await printed()).includes(`${name} health_status`));
    await untilHealthEvent('first');
    expect((await printed()).split('\n')).toEqual(life);
    const { pid }: DaemonStatus = JSON.parse(await own.ok(['daemon', 'status', '--format', 'json']));
    process.kill(pid, 'SIGKILL');
    await until(() => !existsSync(`/proc/${pid}`), { withinMs: 10_000 });
    await own.ok(['run', '-d', '--wait', '--name', 'second', ...flags, ownImage, 'sleep', '600']);
    await untilHealthEvent('second');
    expect((await printed()).split('\n')).toEqual([...life, ...life.map((line) => line.replace('first', 'second'))]);
    await own.ok(['rm', '-f', 'first', 'second']);
  });

  test('a monitor that another one forestalls does not take its place later', async () => {
    for (let round = 0; round < 3; round += 1) {
      const own = bed.spawn(['daemon', 'run']);
      await delay(20 * round);
      await bed.ok(['daemon', 'start']);
      own.kill('SIGTERM');
      const { stderr } = await own.exited;
      if (stderr.includes('runs already')) await bed.ok(['daemon', 'stop']); // the other one was faster
      await delay(1_000);
      expect((await bed.cli(['daemon', 'status'])).code, stderr).toBe(1);
    }
  });

  test('a wait for health starts a monitor, also after the previous one was killed', async () => {
    await using own = await openBed(['autostart = true', 'idle_timeout = "1s"']);
    const flags = ['--health-cmd', 'test ! -e /tmp/broken', '--health-interval', '300ms', '--health-retries', '1'];
    await own.ok(['run', '-d', '--wait', '--name', 'web', ...flags, await own.image(), 'sleep', '600']);
    const { pid }: DaemonStatus = JSON.parse(await own.ok(['daemon', 'status', '--format', 'json']));
    process.kill(pid, 'SIGKILL');
    await until(() => !existsSync(`/proc/${pid}`), { withinMs: 10_000 });
    await own.ok(['exec', 'web', 'touch', '/tmp/broken']);
    expect(await own.ok(['wait', '--condition', 'unhealthy', 'web'])).toBe('unhealthy');
    await own.ok(['rm', '-f', 'web']);
    await until(async () => (await own.cli(['daemon', 'status'])).code === 1, { withinMs: 15_000 });
  });
});
