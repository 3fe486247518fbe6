import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { messageOf } from '../../src/lib/errors.ts';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { findNerdctl } from '../../testbed/nerdctl-program.ts';
import { bootMachine, type SystemdMachine } from '../../testbed/systemd-machine.ts';
import { until } from '../../testbed/until.ts';

// In a machine with a real systemd, where `nerdctl run` and `nerdctl start` make a transient timer for each container
// with a check.

const IMAGE = 'demo/web:1';
const INTERVAL_MS = 1_000;
/** Adds a line for each check, whichever tool makes it. */
const CHECKED = ['--health-cmd', 'echo >> /checks', '--health-interval', '1s', '--health-timeout', '1s'];
const VERSIONS = ['2.3.5', '2.1.5'] as const;
const PATH = '/opt/healthctl/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const WINDOW_MS = 10_000;

let machine: SystemdMachine | undefined;
let noMachine = '';

beforeAll(async () => {
  if (VERSIONS.every((version) => findNerdctl(version) === undefined)) return;
  try {
    machine = await bootMachine();
  } catch (error) {
    noMachine = `systemd cannot be booted here: ${messageOf(error)}`;
    return;
  }
  writeFileSync(join(machine.shared, 'image.tar'), await dockerArchive({ name: IMAGE }));
  await machine.healthctl('load', '--quiet', '--input', '/shared/image.tar');
}, 900_000);
afterAll(() => machine?.[Symbol.asyncDispose](), 60_000);

describe.each(VERSIONS)('with nerdctl %s', (version) => {
  const program = findNerdctl(version);
  const directory = `/opt/nerdctl-${version}`;
  const on = (): SystemdMachine => {
    if (!machine) throw new Error('no machine');
    return machine;
  };
  const nerdctl = (...args: readonly string[]) => nerdctlWith(PATH, ...args);
  const nerdctlWith = (path: string, ...args: readonly string[]) =>
    on().ok('env', `PATH=${directory}:${path}`, 'nerdctl', ...args);
  const healthctl = (...args: readonly string[]) => on().healthctl(...args);
  const theirs = (name: string, seconds = '3600', ...options: readonly string[]) =>
    nerdctl('run', '-d', '--net', 'none', '--name', name, ...options, ...CHECKED, IMAGE, 'sleep', seconds);
  const ours = (name: string) =>
    healthctl('run', '-d', '--network', 'none', '--name', name, ...CHECKED, IMAGE, 'sleep', '3600');

  /** The transient units that nerdctl made for a container. */
  const unitsOf = async (id: string) => {
    const listed = await on().run('sh', '-c', `cd /run/systemd/transient && ls ${id}.* 2>/dev/null`);
    return listed.stdout.split('\n').filter((unit) => unit !== '');
  };
  const BOTH = (id: string) => [`${id}.service`, `${id}.timer`];
  const ownTimers = async () =>
    (await on().run('sh', '-c', 'ls /run/systemd/transient | grep -c "^healthctl-check.*timer"')).stdout.trim();
  const checksOf = async (id: string): Promise<number> => {
    const file = `/run/containerd/io.containerd.runtime.v2.task/default/${id}/rootfs/checks`;
    return Number((await on().run('sh', '-c', `wc -l < ${file}`)).stdout);
  };
  /** Expects that exactly one tool checks the container: there are checks, and not more than one per interval. */
  const expectOneChecker = async (id: string) => {
    const [before, beganMs] = [await checksOf(id), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const checks = (await checksOf(id)) - before;
    expect(checks).toBeLessThanOrEqual(Math.ceil((performance.now() - beganMs) / INTERVAL_MS));
    await until(async () => (await checksOf(id)) > before, { withinMs: 20_000, everyMs: 500, what: 'a check' });
  };
  const hasEventually = (id: string, units: readonly string[]) =>
    until(async () => `${await unitsOf(id)}` === `${units}`, {
      withinMs: 30_000,
      everyMs: 200,
      what: `units ${units}`,
    });
  const configure = async (...lines: readonly string[]) => {
    writeFileSync(join(on().shared, 'healthctl.toml'), lines.map((line) => `${line}\n`).join(''));
    await on().ok('install', '-D', '/shared/healthctl.toml', '/etc/healthctl/healthctl.toml');
  };

  beforeAll(async () => {
    if (program === undefined || !machine) return;
    mkdirSync(join(machine.shared, version));
    copyFileSync(program, join(machine.shared, version, 'nerdctl'));
    await machine.ok('install', '-D', `/shared/${version}/nerdctl`, `${directory}/nerdctl`);
  });
  beforeEach(async (context: TestContext) => {
    if (program === undefined)
      context.skip(`nerdctl ${version} is not installed; run: npm run peers nerdctl-${version}`);
    if (!machine) context.skip(noMachine);
    await configure('autostart = false');
  });
  afterEach(async () => {
    if (program === undefined || !machine) return;
    const left = (await healthctl('ps', '--all', '--quiet')).split('\n').filter((id) => id !== '');
    if (left.length > 0) await healthctl('rm', '--force', ...left);
    await machine.run('/opt/healthctl/bin/healthctl', 'daemon', 'stop');
    expect((await machine.run('sh', '-c', 'ls /run/systemd/transient | grep "timer$"')).stdout).toBe('');
  });

  test.each([
    ['stop', ['stop', '-t', '0']],
    ['kill', ['kill']],
  ])('%s ends the timer of a container of nerdctl, which nerdctl can start again', async (_, [...command]) => {
    const id = await theirs('web');
    expect(await unitsOf(id)).toEqual(BOTH(id));
    await healthctl(...command, 'web');
    expect(await unitsOf(id)).toEqual([]);
    await nerdctl('start', 'web');
    expect(await unitsOf(id)).toEqual(BOTH(id));
    await healthctl('rm', '-f', 'web');
    expect(await unitsOf(id)).toEqual([]);
  });

  test('stop of a container that has ended removes the service of its last check', async () => {
    const id = await theirs('web', '1');
    const isOver = async () =>
      (await unitsOf(id)).length === 0 || (await on().run('systemctl', 'is-failed', id)).code === 0;
    await until(isOver, { withinMs: 30_000, everyMs: 200, what: 'a check of a container that has ended' });
    await healthctl('stop', 'web');
    expect(await unitsOf(id)).toEqual([]);
    await nerdctl('start', 'web');
    await healthctl('rm', '-f', 'web');
    expect(await unitsOf(id)).toEqual([]);
  });

  test('a container of nerdctl is checked by its timer, or by the monitor if it has none', async () => {
    // `nerdctl restart` of 2.1.5 fails if the timer exists.
    const startAgain = async () => {
      await nerdctl('stop', '-t', '0', 'web');
      await nerdctl('start', 'web');
    };
    const id = await theirs('web');
    await expectOneChecker(id);
    await healthctl('daemon', 'start');
    await expectOneChecker(id);
    await on().ok('systemctl', 'stop', `${id}.timer`);
    await expectOneChecker(id);
    await startAgain();
    expect(await unitsOf(id)).toEqual(BOTH(id));
    await expectOneChecker(id);
    await healthctl('restart', '-t', '0', 'web');
    await expectOneChecker(id);
    await healthctl('daemon', 'stop');
    await startAgain();
    await expectOneChecker(id);
  });

  test('the monitor checks a container of nerdctl whose timer no longer works', async () => {
    await healthctl('daemon', 'start');
    const id = await theirs('web');
    await until(async () => (await checksOf(id)) > 0, { withinMs: 20_000, everyMs: 200, what: 'a check' });
    await on().ok('mv', `${directory}/nerdctl`, `${directory}/moved`);
    try {
      const before = await checksOf(id);
      await until(async () => (await checksOf(id)) > before + 3, { withinMs: 60_000, everyMs: 500, what: 'checks' });
      expect(await unitsOf(id)).toContain(`${id}.timer`);
      await expectOneChecker(id);
    } finally {
      await on().ok('mv', `${directory}/moved`, `${directory}/nerdctl`);
    }
    expect(await healthctl('daemon', 'logs')).toContain('has made no check for');
    await expectOneChecker(id);
  });

  test('the monitor ends a timer that nerdctl start makes for a container of healthctl', async () => {
    const id = await ours('web');
    await nerdctl('stop', '-t', '0', 'web');
    await nerdctl('start', 'web');
    expect(await unitsOf(id)).toEqual(BOTH(id));
    await expectOneChecker(id);
    await healthctl('daemon', 'start');
    await hasEventually(id, []);
    await expectOneChecker(id);
    await nerdctl('restart', '-t', '0', 'web');
    await hasEventually(id, []);
    await expectOneChecker(id);
  });

  test.each([
    ['healthctl stop', () => healthctl('stop', '-t', '0', 'web')],
    ['healthctl rm -f', () => healthctl('rm', '-f', 'web')],
    ['nerdctl rm -f', () => nerdctl('rm', '-f', 'web')],
  ])('without a monitor, %s ends it too', async (_, end) => {
    const id = await ours('web');
    await nerdctl('stop', '-t', '0', 'web');
    await nerdctl('start', 'web');
    expect(await unitsOf(id)).toEqual(BOTH(id));
    await end();
    await hasEventually(id, []);
  });

  test('nerdctl start of a container of healthctl does not fail because its timer is ended too early', async () => {
    const script = '#!/bin/sh\n/usr/bin/systemd-run "$@"; code=$?; sleep 2; exit $code\n';
    writeFileSync(join(on().shared, 'slow-run'), script, { mode: 0o755 });
    await on().ok('install', '-D', '/shared/slow-run', '/opt/slow/systemd-run');
    await healthctl('daemon', 'start');
    const id = await ours('web');
    await nerdctl('stop', '-t', '0', 'web');
    await nerdctlWith(`/opt/slow:${PATH}`, 'start', 'web');
    await hasEventually(id, []);
  });

  test('after a reboot the monitor makes the checks of the timer, and nerdctl reads and starts our container', async () => {
    await healthctl('daemon', 'install');
    const ourId = await ours('ours');
    const theirId = await theirs('theirs', '3600', '--restart', 'always');
    for (const id of [ourId, theirId])
      await until(async () => (await checksOf(id)) > 0, { withinMs: 20_000, everyMs: 200, what: `a check of ${id}` });
    await on().reboot();
    await until(async () => /^Up/.test(await healthctl('ps', '--filter', 'name=theirs', '--format', '{{.Status}}')), {
      withinMs: 60_000,
      everyMs: 500,
      what: 'containerd to start it again',
    });
    expect(await unitsOf(theirId)).toEqual([]);
    await expectOneChecker(theirId);
    expect(await nerdctl('inspect', '--format', '{{.State.Health.Status}}', 'ours')).not.toBe('');
    await nerdctl('start', 'ours');
    await hasEventually(ourId, []);
    await expectOneChecker(ourId);
    await healthctl('daemon', 'uninstall');
  });

  describe('with scheduler = "systemd"', () => {
    test("a container of healthctl that nerdctl started has only healthctl's timer", async () => {
      await configure('scheduler = "systemd"');
      const id = await ours('web');
      expect(await ownTimers()).toBe('1');
      await nerdctl('restart', '-t', '0', 'web');
      // A check between end and start removes the timer that made it; then nerdctl's remains.
      const isOne = async () => (await unitsOf(id)).length === 0 || (await ownTimers()) === '0';
      await until(isOne, { withinMs: 30_000, everyMs: 200, what: 'one of the two timers to be gone' });
      await expectOneChecker(id);
      await nerdctl('restart', '-t', '0', 'web');
      await healthctl('restart', '-t', '0', 'web');
      await hasEventually(id, []);
      await expectOneChecker(id);
      expect(await ownTimers()).toBe('1');
    });

    test("a container of nerdctl has no timer of healthctl while nerdctl's checks it", async () => {
      await configure('scheduler = "systemd"');
      const id = await theirs('web');
      await healthctl('restart', '-t', '0', 'web');
      expect([await unitsOf(id), await ownTimers()]).toEqual([BOTH(id), '0']);
      await expectOneChecker(id);
      await healthctl('stop', '-t', '0', 'web');
      await healthctl('start', 'web');
      expect([await unitsOf(id), await ownTimers()]).toEqual([[], '1']);
      await expectOneChecker(id);
      await nerdctl('restart', '-t', '0', 'web');
      await until(async () => (await ownTimers()) === '0', { withinMs: 20_000, everyMs: 200 });
      await expectOneChecker(id);
    });
  });
});
