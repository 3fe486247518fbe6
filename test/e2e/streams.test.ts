import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { listProcesses } from '../../testbed/processes.ts';
import { startProgram } from '../../testbed/program.ts';
import { type Bed, HEALTHCTL, openBed, until } from './support/harness.ts';

// Data between containers and the terminal: run, attach, exec, logs.

let bed: Bed;
const image = 'docker.io/test/streams:1';

beforeAll(async () => {
  bed = await openBed();
  const archive = join(bed.directory, 'streams.tar');
  writeFileSync(archive, await dockerArchive({ name: image }));
  await bed.ctr('images', 'import', archive);
});
afterAll(() => bed[Symbol.asyncDispose]());

const sh = (script: string) => [image, 'sh', '-c', script];

/** A container that runs until it gets TERM, and prints a line for each signal. */
async function aRunner(
  script = 'trap "echo got TERM; exit 4" TERM; trap "echo got INT" INT; echo ready; while :; do sleep 1000 & wait; done',
) {
  const name = bed.name('runner');
  await bed.ok(['run', '-d', '--name', name, ...sh(script)]);
  await until(async () => script.includes('ready') === false || (await bed.ok(['logs', name])).includes('ready'));
  return name;
}

/** All FIFOs of execs. */
function execFifos(): string[] {
  return readdirSync(bed.runRoot, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFIFO() && entry.parentPath.includes('healthctl-exec-'))
    .map(({ name }) => name);
}

describe('run', () => {
  test("prints both streams separately, and exits with the container's code", async () => {
    const result = await bed.cli(['run', '--rm', ...sh('echo out; echo err >&2; exit 7')]);
    expect(result).toMatchObject({ code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  test('loses no output of ten short containers', async () => {
    for (let round = 0; round < 10; round += 1) {
      const result = await bed.cli(['run', '--rm', ...sh('echo first; echo second >&2; echo third')]);
      expect(result).toMatchObject({ code: 0, stdout: 'first\nthird\n', stderr: 'second\n' });
    }
  });

  test('-i passes on stdin unchanged, and its end', async () => {
    expect(await bed.cli(['run', '--rm', '-i', image, 'cat'], { stdin: 'hi\n' })).toMatchObject({
      code: 0,
      stdout: 'hi\n',
    });
    const bytes = randomBytes(5_000_000);
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(await bed.ok(['run', '--rm', '-i', image, 'sha256sum'], { stdin: bytes })).toBe(`${digest}  -`);
  });

  test('without -i stdin is empty', async () => {
    expect(await bed.cli(['run', '--rm', image, 'cat'], { stdin: 'hi\n' })).toMatchObject({ code: 0, stdout: '' });
  });

  test("forwards signals, and exits with the container's code", async () => {
    const running = bed.spawn([
      'run',
      '--rm',
      ...sh('trap "echo got it; exit 5" USR1; echo ready; while :; do sleep 1000 & wait; done'),
    ]);
    await running.prints('ready\n');
    running.kill('SIGUSR1');
    expect(await running.exited).toMatchObject({ code: 5, stdout: 'ready\ngot it\n' });
  });

  test('ends at the third SIGINT, whatever the container does', async () => {
    const name = bed.name('stubborn');
    const running = bed.spawn([
      'run',
      '--name',
      name,
      ...sh('trap "echo no" INT; echo ready; while :; do sleep 1000 & wait; done'),
    ]);
    await running.prints('ready\n');
    for (const count of [1, 2]) {
      running.kill('SIGINT');
      await running.prints('no\n'.repeat(count));
    }
    running.kill('SIGINT');
    const { code, stderr } = await running.exited;
    expect(code).toBe(1);
    expect(stderr).toContain('got 3 SIGTERM/SIGINTs, forcefully exiting');
    expect(await bed.ctr('tasks', 'ls')).toContain('RUNNING');
  });

  test('ends when nobody reads its output any more, and with --rm removes the container', async () => {
    const before = await bed.traces();
    const command = 'exec "$@" sh -c "while :; do echo line; done" | head -n 1';
    const running = startProgram(['sh', '-c', command, 'sh', HEALTHCTL, ...bed.globalFlags, 'run', '--rm', image], bed);
    expect(await running.exited).toMatchObject({ code: 0, stdout: 'line\n' });
    await bed.expectNothingLeft(before, 10_000);
  });
});

describe('a terminal', () => {
  test('run -it has size, keys and exit code, and restores the terminal', async () => {
    const running = bed.spawn(['run', '--rm', '-it', image, 'sh'], { tty: true });
    await running.prints('# ');
    running.write('stty size; tty; exit 6\n');
    const { code, stdout } = await running.exited;
    expect(code).toBe(6);
    expect(stdout).toContain('40 120\r\n/dev/pts/0\r\n');
  });

  test('exec -it has the size from the start, and Ctrl-C goes to the program', async () => {
    const name = await aRunner();
    const script = 'stty size; trap "echo interrupted; exit 3" INT; echo set; while :; do sleep 1000 & wait; done';
    const running = bed.spawn(['exec', '-it', name, 'sh', '-c', script], { tty: true });
    await running.prints('set\r\n');
    running.write('\x03');
    expect(await running.exited).toMatchObject({ code: 3, stdout: '40 120\r\nset\r\n^Cinterrupted\r\n' });
  });

  test('the detach keys leave the container running, and attach connects again', async () => {
    const name = bed.name('tty');
    const running = bed.spawn(['run', '-it', '--name', name, image, 'sh'], { tty: true });
    await running.prints('# ');
    running.write('echo before\n');
    await running.prints('before\r\n/ ');
    running.write('\x10\x11');
    expect((await running.exited).code).toBe(0);

    const again = bed.spawn(['attach', '--detach-keys', 'ctrl-x,y', name], { tty: true });
    again.write('\n');
    await again.prints('# ');
    again.write('\x18y');
    const left = await again.exited;
    expect(left.code).toBe(1);
    expect(left.stdout).toContain('read escape sequence');
    expect(left.stdout).not.toContain('before');

    const last = bed.spawn(['attach', name], { tty: true });
    last.write('exit 9\n');
    expect((await last.exited).code).toBe(9);
    expect(await bed.ok(['logs', name])).toMatch(/before\r\n(.|\s)*exit 9/);
  });

  test('with --rm the container is gone when attach or start -a to it has ended', async () => {
    const gone = async (name: string) => bed.ok(['ps', '-aq', '--filter', `name=${name}`]);
    const name = bed.name('leaves');
    const running = bed.spawn(['run', '--rm', '-it', '--name', name, image, 'sh'], { tty: true });
    await running.prints('# ');
    running.write('\x10\x11');
    expect((await running.exited).code).toBe(0);
    expect(await gone(name)).not.toBe('');
    const again = bed.spawn(['attach', name], { tty: true });
    again.write('exit 42\n');
    expect((await again.exited).code).toBe(42);
    expect(await gone(name)).toBe('');

    const made = bed.name('made');
    await bed.ok(['create', '--rm', '--name', made, image, 'sh', '-c', 'exit 7']);
    expect(await bed.cli(['start', '-a', made])).toMatchObject({ code: 7, stderr: '' });
    expect(await gone(made)).toBe('');
  });

  test("refuses a stdin that is no terminal with Docker's text", async () => {
    const result = await bed.cli(['run', '--rm', '-it', image, 'sh']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('the input device is not a TTY');
  });

  test('restores the terminal when the command is ended by a signal', async () => {
    const name = await aRunner();
    const script = 'stty -g; "$@"; echo "status $?"; stty -g';
    const exec = [HEALTHCTL, ...bed.globalFlags, 'exec', '-it', name, 'sh', '-c', 'echo set; sleep 60'];
    const running = startProgram(['sh', '-c', script, 'sh', ...exec], { ...bed, tty: true });
    await running.prints('set\r\n');
    const client = listProcesses().find(
      ({ args }) =>
        args.includes(name) && args.includes('echo set; sleep 60') && !args.includes(script) && args[0] !== 'script',
    );
    process.kill(client?.pid ?? 0, 'SIGTERM');
    const { stdout } = await running.exited;
    const [before, set, status, after] = stdout.split('\r\n');
    expect([set, status, after]).toEqual(['set', 'status 143', before]);
    expect(execFifos()).toEqual([]);
  });
});

describe('attach', () => {
  test('shows later output, passes on signals, and ends with the container', async () => {
    const name = await aRunner(
      'trap "echo got TERM; exit 4" TERM; echo ready; i=0; while :; do sleep 0.1; echo $((i=i+1)); done',
    );
    await until(async () => (await bed.ok(['logs', name])).includes('\n3\n'));
    const running = bed.spawn(['attach', name]);
    await running.prints(/^\d+\n\d+\n/);
    running.kill('SIGTERM');
    const { code, stdout, stderr } = await running.exited;
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).not.toContain('ready');
    const numbers = stdout.split('\n').slice(0, -2).map(Number);
    expect(
      numbers.every((number, index) => index === 0 || number === (numbers[index - 1] ?? 0) + 1),
      stdout,
    ).toBe(true);
    expect(stdout.endsWith('got TERM\n')).toBe(true);
  });

  test('--sig-proxy=false: a signal ends only the command', async () => {
    const name = await aRunner();
    const running = bed.spawn(['attach', '--sig-proxy=false', name]);
    await until(() => followers(running.pid) > 0);
    running.kill('SIGINT');
    expect((await running.exited).code).toBe(130);
    expect(await bed.ok(['logs', name])).toBe('ready');
  });

  test('two clients see the same output; piped stdin ends with its client if the container was run with -i', async () => {
    const name = bed.name('cat');
    const first = bed.spawn(['run', '-i', '--name', name, ...sh('echo ready; cat')]);
    await first.prints('ready\n');
    const second = bed.spawn(['attach', '--no-stdin', name]);
    await until(() => followers(second.pid) > 0);
    first.write('hello\n');
    await second.prints('hello\n');
    first.end();
    expect(await first.exited).toMatchObject({ code: 0, stdout: 'ready\nhello\n' });
    expect(await second.exited).toMatchObject({ code: 0, stdout: 'hello\n' });
  });

  test.each([
    ['stopped', 'cannot attach to a stopped container, start it first'],
    ['paused', 'cannot attach to a paused container, unpause it first'],
  ])('refuses a %s container', async (state, text) => {
    const name = bed.name(state);
    await bed.ok(['run', '-d', '--name', name, ...sh(state === 'stopped' ? 'true' : 'sleep 60')]);
    if (state === 'paused') await bed.ok(['pause', name]);
    else await bed.ok(['wait', name]);
    const result = await bed.cli(['attach', name]);
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: `healthctl: ${text}\n` });
  });
});

describe('exec', () => {
  let name: string;
  beforeAll(async () => {
    name = await aRunner();
  });

  test("prints both streams and exits with the program's code, and leaves nothing", async () => {
    const before = await bed.traces();
    const result = await bed.cli(['exec', name, 'sh', '-c', 'echo out; echo err >&2; exit 3']);
    expect(result).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    await bed.expectNothingLeft(before);
  });

  test('passes on stdin, and all of a large output to a slow reader', async () => {
    const bytes = randomBytes(3_000_000);
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(await bed.ok(['exec', '-i', name, 'sha256sum'], { stdin: bytes })).toBe(`${digest}  -`);
    const command = '"$@" sh -c "yes 1234567 | head -c 2000000" | { sleep 4; sha256sum; }';
    const slow = startProgram(['sh', '-c', command, 'sh', HEALTHCTL, ...bed.globalFlags, 'exec', name], bed);
    const expected = createHash('sha256').update('1234567\n'.repeat(250_000)).digest('hex');
    expect((await slow.exited).stdout).toBe(`${expected}  -\n`);
  });

  test('takes user, groups, directory and environment', async () => {
    const exec = (...args: string[]) => bed.ok(['exec', ...args]);
    expect(await exec('-u', 'probe', name, 'id')).toBe(
      'uid=1234(probe) gid=1234(probe) groups=1234(probe),2000(wheel)',
    );
    expect(await exec('-u', '77:wheel', name, 'sh', '-c', 'id -u; id -g')).toBe('77\n2000');
    const env = join(bed.directory, 'some.env');
    writeFileSync(env, 'A=file\nB=file\n');
    const shown = await exec('-w', '/tmp', '--env-file', env, '-e', 'A=flag', name, 'sh', '-c', 'pwd; echo $A $B');
    expect(shown).toBe('/tmp\nflag file');
    const unknown = await bed.cli(['exec', '-u', 'nobody', name, 'id']);
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.stderr).toContain('unable to find user nobody: no matching entries in passwd file');
  });

  test('keeps the security profile of the container; --privileged adds capabilities', async () => {
    const name = bed.name('secure');
    await bed.ok([
      'run',
      '-d',
      '--name',
      name,
      '--security-opt',
      'no-new-privileges',
      '--cap-drop',
      'ALL',
      ...sh('sleep 60'),
    ]);
    const status = async (...options: string[]) => {
      const text = await bed.ok(['exec', ...options, name, 'cat', '/proc/self/status']);
      return Object.fromEntries(text.split('\n').map((line) => line.split(':\t')));
    };
    expect(await status()).toMatchObject({ NoNewPrivs: '1', Seccomp: '2', CapBnd: '0000000000000000' });
    const privileged = await status('--privileged');
    expect(privileged).toMatchObject({ NoNewPrivs: '1', CapEff: privileged.CapBnd });
    expect(privileged.CapBnd).not.toBe('0000000000000000');
  });

  test.each([
    // The texts of runc and of crun.
    [['nope'], 127, /executable file .*not found/],
    [['/etc'], 126, /permission denied|open executable/],
  ])('%j cannot be started: exits with %d, and leaves nothing', async (command, code, text) => {
    const before = await bed.traces();
    const result = await bed.cli(['exec', name, ...command]);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(text);
    await bed.expectNothingLeft(before);
  });

  test('is refused in a container that does not run, or is paused', async () => {
    const name = await aRunner();
    const id = (await bed.ctr('containers', 'ls', '--quiet', `labels."nerdctl/name"==${name}`)).trim();
    await bed.ok(['pause', name]);
    expect(await bed.cli(['exec', name, 'true'])).toMatchObject({
      code: 1,
      stderr: `healthctl: Container ${id} is paused, unpause the container before exec\n`,
    });
    await bed.ok(['unpause', name]);
    await bed.ok(['kill', name]);
    await bed.ok(['wait', name]);
    expect(await bed.cli(['exec', name, 'true'])).toMatchObject({
      code: 1,
      stderr: `healthctl: container ${id} is not running\n`,
    });
  });

  test('exits with 137 when the container ends', async () => {
    const name = await aRunner();
    const running = bed.spawn(['exec', name, 'sh', '-c', 'echo here; sleep 60']);
    await running.prints('here\n');
    await bed.ok(['kill', name]);
    expect((await running.exited).code).toBe(137);
  });

  test('Ctrl-C leaves the program running without stdin, and no FIFO', async () => {
    const running = bed.spawn(['exec', '-i', name, 'sh', '-c', 'echo here; cat; touch /tmp/ended; sleep 60']);
    await running.prints('here\n');
    running.kill('SIGINT');
    expect((await running.exited).code).toBe(130);
    expect(execFifos()).toEqual([]);
    await until(async () => (await bed.cli(['exec', name, 'test', '-e', '/tmp/ended'])).code === 0);
    expect(await bed.ok(['exec', name, 'ps'])).toContain('sleep 60');
  });

  test('-d returns at once; the next exec removes ended ones', async () => {
    const before = await bed.traces();
    const { code, stdout } = await bed.cli([
      'exec',
      '-d',
      name,
      'sh',
      '-c',
      'echo unseen; while ! [ -e /tmp/go ]; do sleep 0.05; done',
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    await bed.ok(['exec', '-dt', name, 'sh', '-c', 'tty > /tmp/tty']);
    await until(async () => (await bed.ok(['exec', name, 'cat', '/tmp/tty'])) === '/dev/pts/0');
    await bed.ok(['exec', name, 'touch', '/tmp/go']);
    await until(async () => {
      await bed.ok(['exec', name, 'true']);
      return (await bed.traces()).bundles.length === before.bundles.length;
    });
    await bed.expectNothingLeft(before);
  });

  test('a child that keeps the output open delays the end by 2 s, not until its own end', async () => {
    const { code, stdout, tookMs } = await bed.cli(['exec', name, 'sh', '-c', 'sleep 3070 & echo hi']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hi\n' });
    expect(tookMs).toBeGreaterThan(1_900);
  });
});

describe('logs', () => {
  test('shows both streams, all runs, or the last lines', async () => {
    const name = bed.name('logs');
    await bed.cli(['run', '--name', name, ...sh('for i in 1 2 3; do echo out $i; echo err $i >&2; done')]);
    await bed.cli(['start', '-a', name]);
    const out = 'out 1\nout 2\nout 3\n';
    const err = out.replaceAll('out', 'err');
    const all = { code: 0, stdout: out.repeat(2), stderr: err.repeat(2) };
    expect(await bed.cli(['logs', name])).toMatchObject(all);
    expect(await bed.cli(['logs', '-f', '--tail=-1', name])).toMatchObject(all);
    expect(await bed.cli(['logs', '-n', '2', name])).toMatchObject({
      stdout: 'out 2\nout 3\n',
      stderr: 'err 2\nerr 3\n',
    });
    expect(await bed.cli(['logs', '--tail', '0', name])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('-f follows until the container stops, and loses nothing', async () => {
    const name = bed.name('follow');
    await bed.ok([
      'run',
      '-d',
      '--name',
      name,
      ...sh('i=0; while [ $i -lt 2000 ]; do echo $((i=i+1)); [ $((i % 100)) = 0 ] && sleep 0.05; done; exit 0'),
    ]);
    const { code, stdout } = await bed.cli(['logs', '-f', name]);
    expect(code).toBe(0);
    expect(stdout).toBe(Array.from({ length: 2000 }, (_, index) => `${index + 1}\n`).join(''));
  });

  test('-f ends when the container is removed, and at Ctrl-C', async () => {
    const name = await aRunner();
    const [removed, interrupted] = [bed.spawn(['logs', '-f', name]), bed.spawn(['logs', '-f', name])];
    await Promise.all([removed.prints('ready\n'), interrupted.prints('ready\n')]);
    interrupted.kill('SIGINT');
    expect((await interrupted.exited).code).toBe(130);
    await bed.ok(['rm', '-f', name]);
    expect((await removed.exited).code).toBe(0);
  });

  test('refuses a container of another tool', async () => {
    await bed.ctr('run', '--detach', image, 'foreign', 'sleep', '60');
    const { code, stderr } = await bed.cli(['logs', 'foreign']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "healthctl: the logs of container foreign are not healthctl's\n",
    });
    expect(await bed.ok(['exec', 'foreign', 'echo', 'hi'])).toBe('hi');
  });

  test.each(['many', '', '1.5'])('refuses --tail %j', async (text) => {
    expect(await bed.cli(['logs', '--tail', text, 'x'])).toMatchObject({ code: 125, stdout: '' });
  });
});

/**
 * How many output files a program follows: those that it has open, once it has an inotify watch, which it makes after
 * it has noted their ends.
 */
function followers(pid: number): number {
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // closed meanwhile
    }
  });
  return targets.includes('anon_inode:inotify') ? targets.filter((target) => target.endsWith('.log')).length : 0;
}
