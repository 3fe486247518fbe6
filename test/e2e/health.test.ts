import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectWithin } from '../../testbed/judged.ts';
import { listProcesses } from '../../testbed/processes.ts';
import { type Bed, openBed, until } from './support/harness.ts';

// All health semantics that need no monitor, on a real containerd with real processes.

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(() => bed[Symbol.asyncDispose]());

interface Entry {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

interface Document {
  readonly Id: string;
  readonly State: {
    readonly Status: string;
    readonly StartedAt: string;
    readonly Health?: { readonly Status: string; readonly FailingStreak: number; readonly Log: readonly Entry[] };
  };
  readonly Config: { readonly Healthcheck?: Record<string, unknown> };
}

async function inspect(name: string): Promise<Document> {
  const [document] = JSON.parse(await bed.ok(['inspect', name])) as Document[];
  if (!document) throw new Error(`no document for ${name}`);
  return document;
}

async function health(name: string): Promise<string | undefined> {
  const { Health: shown } = (await inspect(name)).State;
  return shown && `${shown.Status}/${shown.FailingStreak}/${shown.Log.length}`;
}

async function lastEntry(name: string): Promise<Entry> {
  const entry = (await inspect(name)).State.Health?.Log.at(-1);
  if (!entry) throw new Error(`no result of ${name}`);
  return entry;
}

/**
 * Runs a container in the background.
 * @param flags its command follows them
 */
async function run(
  flags: readonly string[],
  options: { image?: string; command?: readonly string[] } = {},
): Promise<string> {
  const name = bed.name('h');
  await bed.ok([
    'run',
    '-d',
    '--name',
    name,
    ...flags,
    options.image ?? (await bed.image()),
    ...(options.command ?? ['sleep', '600']),
  ]);
  return name;
}

const sh = (command: string, ...more: string[]) => ['--health-cmd', command, ...more];
const check = (name: string) => bed.ok(['container', 'healthcheck', name]);
const inside = (name: string, command: string) => bed.ok(['exec', name, 'sh', '-c', command]);

async function labelsOf(name: string): Promise<Record<string, string>> {
  const { Id: id } = await inspect(name);
  return (JSON.parse(await bed.ctr('containers', 'info', id)) as { Labels: Record<string, string> }).Labels;
}

describe('the state machine', () => {
  test('starting, healthy, failures up to retries, recovery; every success resets the streak', async () => {
    const name = await run(sh('test ! -e /bad', '--health-retries', '2'));
    expect(await health(name)).toBe('starting/0/0');
    await check(name);
    expect(await health(name)).toBe('healthy/0/1');
    await inside(name, 'touch /bad');
    await check(name);
    expect(await health(name)).toBe('healthy/1/2');
    await inside(name, 'rm /bad');
    await check(name);
    await inside(name, 'touch /bad');
    await check(name);
    expect(await health(name)).toBe('healthy/1/4');
    await check(name);
    expect(await health(name)).toBe('unhealthy/2/5');
    await check(name);
    expect(await health(name)).toBe('unhealthy/3/5');
    await inside(name, 'rm /bad');
    await check(name);
    expect(await health(name)).toBe('healthy/0/5');
  });

  test('the log has the last five results, oldest first', async () => {
    const name = await run(sh('n=$(cat /n 2>/dev/null); echo $((n + 1)) | tee /n'));
    for (let i = 0; i < 7; i += 1) await check(name);
    const { Health: shown } = (await inspect(name)).State;
    expect(shown?.Log.map(({ Output }) => Output)).toEqual(['3\n', '4\n', '5\n', '6\n', '7\n']);
    for (const { Start, End } of shown?.Log ?? []) expect(Date.parse(End)).toBeGreaterThanOrEqual(Date.parse(Start));
  });

  test('failures in the start period do not count until the first success', async () => {
    const name = await run(sh('test -e /good', '--health-start-period', '1h', '--health-retries', '1'));
    await check(name);
    await check(name);
    expect(await health(name)).toBe('starting/0/2');
    await inside(name, 'touch /good');
    await check(name);
    expect(await health(name)).toBe('healthy/0/3');
    await inside(name, 'rm /good');
    await check(name);
    expect(await health(name)).toBe('unhealthy/1/4');
  });

  test('the start period begins at the start of the run, not at the creation', async (context) => {
    const image = await bed.image();
    const name = bed.name('h');
    await bed.ok([
      'create',
      '--name',
      name,
      ...sh('false', '--health-start-period', '6s', '--health-retries', '1'),
      image,
      'sleep',
      '600',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 6_500)); // longer than the start period
    await bed.ok(['start', name]);
    await check(name);
    const startedMs = Date.parse((await inspect(name)).State.StartedAt);
    const sinceStartMs = Date.parse((await lastEntry(name)).Start) - startedMs;
    await expectWithin(context, { what: 'from the start to the check', tookMs: sinceStartMs, atMostMs: 5_999 });
    expect(await health(name)).toBe('starting/0/1');
  });

  test('after a stop the container is unhealthy, after a start it is starting; the log stays', async () => {
    const name = await run(sh('true'));
    await check(name);
    await bed.ok(['stop', '-t', '0', name]);
    expect(await health(name)).toBe('unhealthy/0/1');
    expect(await bed.ok(['ps', '-a', '--filter', `name=${name}`, '--format', '{{.Status}}'])).toMatch(
      /^Exited \(137\) /,
    );
    await bed.ok(['start', name]);
    expect(await health(name)).toBe('starting/0/1');
    await check(name);
    expect(await health(name)).toBe('healthy/0/2');
    await bed.ok(['restart', '-t', '0', name]);
    expect(await health(name)).toBe('starting/0/2');
  });

  test('after an exit or a kill the container is unhealthy', async () => {
    const name = await run(sh('true'), { command: ['sh', '-c', 'while [ ! -e /end ]; do sleep 0.1; done'] });
    await check(name);
    await inside(name, 'touch /end');
    await until(async () => (await inspect(name)).State.Status === 'exited', { withinMs: 10_000 });
    expect(await health(name)).toBe('unhealthy/0/1');
    const killed = await run(sh('true'));
    await check(killed);
    await bed.ok(['kill', killed]);
    await until(async () => (await inspect(killed)).State.Status === 'exited', { withinMs: 10_000 });
    expect(await health(killed)).toBe('unhealthy/0/1');
  });

  test('a pause keeps the status, and checks are refused', async () => {
    const name = await run(sh('true'));
    await check(name);
    await bed.ok(['pause', name]);
    expect(await health(name)).toBe('healthy/0/1');
    expect(await bed.ok(['ps', '--filter', `name=${name}`, '--format', '{{.Status}}'])).toMatch(/^Up .* \(Paused\)$/);
    expect(await bed.cli(['container', 'healthcheck', name])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('container is not running (status: paused)'),
    });
    await bed.ok(['unpause', name]);
    await check(name);
    expect(await health(name)).toBe('healthy/0/2');
  });

  test('a check that a pause interrupts is ended and not recorded, and leaves nothing', async () => {
    const name = await run(sh('test ! -e /slow || sleep 300'));
    await check(name);
    await inside(name, 'touch /slow');
    const before = await bed.traces();
    const checking = bed.spawn(['container', 'healthcheck', name]);
    await until(() => listProcesses().some(({ args }) => args.join(' ') === 'sleep 300'), { withinMs: 10_000 });
    await bed.ok(['pause', name]);
    const { code, stderr } = await checking.exited;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/paused/)]);
    expect(await health(name)).toBe('healthy/0/1');
    await bed.ok(['unpause', name]);
    await bed.expectNothingLeft(before);
  });

  test('a check that the end of its container interrupts is not recorded', async () => {
    const name = await run(sh('sleep 301'));
    const checking = bed.spawn(['container', 'healthcheck', name]);
    await until(() => listProcesses().some(({ args }) => args.join(' ') === 'sleep 301'), { withinMs: 10_000 });
    await bed.ok(['kill', name]);
    expect((await checking.exited).code).toBe(1);
    expect(await health(name)).toBe('unhealthy/0/0');
  });

  test('a container that never started has no health', async () => {
    const name = bed.name('h');
    await bed.ok(['create', '--name', name, ...sh('true'), await bed.image()]);
    expect((await inspect(name)).State).not.toHaveProperty('Health');
    expect((await inspect(await run([]))).State).not.toHaveProperty('Health');
    expect((await inspect(await run(['--no-healthcheck']))).State).not.toHaveProperty('Health');
  });
});

describe('the probe', () => {
  test('stores the output of both streams in order, and the exit code', async () => {
    const name = await run(sh('echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three; exit 7'));
    await check(name);
    expect(await lastEntry(name)).toMatchObject({ ExitCode: 7, Output: 'one\ntwo\nthree\n' });
  });

  test.each([
    [4095, 4095, 'x'],
    [4096, 4096, 'x'],
    [4097, 4099, '...'],
    [20_000_000, 4099, '...'],
  ])('of %d bytes of output, %d are stored', async (bytes, length, end) => {
    const name = await run(sh(`head -c ${bytes} /dev/zero | tr '\\0' x`));
    await check(name);
    const { Output: output, ExitCode: code } = await lastEntry(name);
    expect([code, output.length, output.endsWith(end)]).toEqual([0, length, true]);
  });

  test('replaces bytes that are not UTF-8', async () => {
    const name = await run(sh('printf "a\\377\\303(z"'));
    await check(name);
    expect((await lastEntry(name)).Output).toBe('a\uFFFD\uFFFD(z');
  });

  test('a timeout kills the whole session and is recorded as such', async () => {
    const name = await run(
      sh('echo begun; (sleep 3021 & sleep 3022) & sleep 3023', '--health-timeout', '2s', '--health-retries', '1'),
    );
    await check(name);
    const entry = await lastEntry(name);
    expect(entry).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (2s): begun\n' });
    expect(await health(name)).toBe('unhealthy/1/1');
    expect(listProcesses().filter(({ args }) => /sleep 302\d/.test(args.join(' ')))).toEqual([]);
  });

  test('stores what a check printed before its timeout, after the text of the timeout', async () => {
    const name = await run(sh('head -c 9000 /dev/zero | tr "\\0" x; sleep 3031', '--health-timeout', '3s'));
    await check(name);
    expect((await lastEntry(name)).Output).toBe(`Health check exceeded timeout (3s): ${'x'.repeat(4096)}...`);
  });

  test('records a timeout without output', async () => {
    const name = await run(sh('sleep 3030', '--health-timeout', '1500ms'));
    await check(name);
    expect(await lastEntry(name)).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (1.5s)' });
  });

  test.each([
    ['closes its output and goes on', 'echo done; exec >&- 2>&-; sleep 1; exit 5', 'done\n', 1_000],
    ['ends at once, with a child that has closed its output', '(exec >&- 2>&-; sleep 3051) & exit 5', '', 0],
  ])('a check that %s', async (_, text, output, atLeastMs) => {
    const name = await run(sh(text));
    await check(name);
    const entry = await lastEntry(name);
    expect(entry).toMatchObject({ ExitCode: 5, Output: output });
    const tookMs = Date.parse(entry.End) - Date.parse(entry.Start);
    expect(tookMs).toBeGreaterThanOrEqual(atLeastMs);
    await bed.ok(['rm', '-f', name]);
  });

  test('a child that keeps the output open delays the result, but not until its own end', async () => {
    const name = await run(sh('sleep 3052 & echo done; exit 5'));
    await check(name);
    const entry = await lastEntry(name);
    expect(entry).toMatchObject({ ExitCode: 5, Output: 'done\n' });
    await bed.ok(['rm', '-f', name]); // so that the child does not end while another test counts processes
  });

  test.each<[string, string[], number, RegExp]>([
    [
      'a program that is missing',
      ['CMD', 'no-such-program'],
      -1,
      /^OCI runtime exec failed: .*(?:no-such-program.*executable file not found in \$PATH$|executable file `no-such-program` not found in)/,
    ],
    ['no command', ['CMD'], -1, /^healthcheck for container [0-9a-f]{64} has no command$/],
    ['a shell without a text', ['CMD-SHELL'], 2, /-c requires an argument/],
    ['further items of CMD-SHELL are arguments', ['CMD-SHELL', 'echo "$0-$1"', 'a', 'b c'], 0, /^a-b c\n$/],
    ['the exec form expands nothing', ['CMD', 'echo', '$HOME', '*'], 0, /^\$HOME \*\n$/],
    ['an inner command that is missing', ['CMD-SHELL', 'no-such-program'], 127, /not found/],
  ])('%s', async (_, testField, code, output) => {
    const name = await run([], { image: await bed.image({ Healthcheck: { Test: testField } }) });
    await check(name);
    const entry = await lastEntry(name);
    expect(entry.ExitCode).toBe(code);
    expect(entry.Output).toMatch(output);
  });

  test('records that the image has no shell', async () => {
    const name = await run(sh('true', '--health-retries', '1'), { image: await bed.image({}, { shell: false }) });
    await check(name);
    expect(await lastEntry(name)).toMatchObject({
      ExitCode: -1,
      Output: expect.stringMatching(/["`]\/bin\/sh["`].*no such file or directory/i),
    });
    expect(await health(name)).toBe('unhealthy/1/1');
  });

  test("runs like the container's own process: user, groups, directory, environment, capabilities, privileges, limits", async () => {
    const script =
      'id; pwd; echo $WHO; grep -E "^(CapBnd|CapEff|NoNewPrivs|Seccomp):" /proc/self/status; ulimit -t; test -t 0 || echo no tty; cat';
    const flags = [
      '-u',
      'probe',
      '--group-add',
      '4711',
      '-w',
      '/tmp',
      '-e',
      'WHO=me',
      '--cap-drop',
      'ALL',
      '--cap-add',
      'NET_RAW',
      '--security-opt',
      'no-new-privileges',
      '--ulimit',
      'cpu=100:200',
    ];
    const name = await run([...flags, ...sh(script)]);
    await check(name);
    const probe = (await lastEntry(name)).Output;
    expect(probe).toMatch(/^uid=1234\(probe\) gid=1234\(probe\) groups=.*4711/);
    expect(probe).toContain('\n/tmp\nme\n');
    expect(probe).toMatch(
      /CapEff:\s+0000000000000000\nCapBnd:\s+0000000000002000\nNoNewPrivs:\s+1\nSeccomp:\s+2\n100\nno tty\n$/,
    );
  });

  test("does not write to the container's log", async () => {
    const name = await run(sh('echo from the check'), {
      command: ['sh', '-c', 'echo from the container; exec sleep 600'],
    });
    await check(name);
    expect(await bed.ok(['logs', name])).toBe('from the container');
  });

  test('leaves nothing after a success, a failure, a timeout and a cancelled check', async () => {
    const name = await run(sh('sh -c "$(cat /do)"', '--health-timeout', '1s'));
    await inside(name, 'echo true > /do');
    await check(name);
    const before = await bed.traces();
    for (const command of ['true', 'false', 'no-such', 'sleep 3040', 'sleep 3041 & sleep 3042']) {
      await inside(name, `echo '${command}' > /do`);
      await check(name);
    }
    await inside(name, 'echo "sleep 3053" > /do');
    await bed.ok(['update', '--health-timeout', '1h', name]);
    const cancelled = bed.spawn(['container', 'healthcheck', name]);
    await until(() => listProcesses().some(({ args }) => args.join(' ') === 'sleep 3053'), { withinMs: 10_000 });
    cancelled.kill('SIGINT');
    expect((await cancelled.exited).code).toBe(130);
    await bed.expectNothingLeft(before);
    expect(await health(name)).toMatch(/\/5$/);
  });

  test('the next check removes what a killed command left', async () => {
    const name = await run(sh('test -e /fast || sleep 3050'));
    const before = await bed.traces();
    const checking = bed.spawn(['container', 'healthcheck', name]);
    await until(() => listProcesses().some(({ args }) => args.join(' ') === 'sleep 3050'), { withinMs: 10_000 });
    checking.kill('SIGKILL');
    await checking.exited;
    await inside(name, 'touch /fast');
    await check(name);
    expect(await health(name)).toBe('healthy/0/1');
    expect(listProcesses().filter(({ args }) => args.join(' ') === 'sleep 3050')).toEqual([]);
    const { files: _files, ...rest } = before;
    const { files: after, ...restAfter } = await bed.traces();
    expect(restAfter).toEqual(rest);
    expect(after.filter((file) => file.includes('healthctl-check-'))).toEqual([]);
  });

  test('two processes that check at once never overlap, and both results count', async () => {
    const name = await run(sh('test ! -e /in && touch /in && sleep 0.3 && rm /in'));
    await Promise.all([check(name), check(name), check(name)]);
    const { Health: shown } = (await inspect(name)).State;
    expect(shown?.Log.map(({ ExitCode }) => ExitCode)).toEqual([0, 0, 0]);
  });
});

describe('what is stored', () => {
  test("stores the config in nerdctl's form, with defaults, and our extensions beside it", async () => {
    const labels = await labelsOf(await run(sh('true', '--health-interval', '2s', '--health-start-period', '1m')));
    expect(JSON.parse(labels['nerdctl/healthcheck'] ?? '')).toEqual({
      Test: ['CMD-SHELL', 'true'],
      Interval: 2e9,
      Timeout: 30e9,
      StartPeriod: 60e9,
      StartInterval: 2e9,
      Retries: 3,
    });
    expect(labels).not.toHaveProperty('healthctl/healthcheck');
  });

  test('health.json is where nerdctl reads it, private, with the state in its last line; the label mirrors it', async () => {
    const name = await run(sh('false', '--health-retries', '2'));
    for (let i = 0; i < 4; i += 1) await check(name);
    const labels = await labelsOf(name);
    const file = join(labels['nerdctl/state-dir'] ?? '', 'health.json');
    expect(file).toContain(bed.runRoot);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ Status, FailingStreak }) => `${Status}/${FailingStreak}`)).toEqual([
      'starting/1',
      'unhealthy/2',
      'unhealthy/3',
      'unhealthy/4',
    ]);
    expect(JSON.parse(labels['nerdctl/healthstate'] ?? '')).toMatchObject({
      Status: 'unhealthy',
      FailingStreak: 2,
      Run: lines.at(-1)?.Run,
    });
  });

  test('stores no label without a check, but stores NONE, so that inspect shows it', async () => {
    expect(
      Object.keys(await labelsOf(await run([]))).filter(
        (key) => key.includes('health') && !key.startsWith('healthctl/'),
      ),
    ).toEqual([]);
    const labels = await labelsOf(
      await run(['--no-healthcheck'], {
        image: await bed.image({ Healthcheck: { Test: ['CMD', 'true'], Retries: 5 } }),
      }),
    );
    expect(JSON.parse(labels['nerdctl/healthcheck'] ?? '')).toEqual({ Test: ['NONE'], Retries: 5 });
  });

  test('shows the readable part of a damaged health.json, which the next check repairs', async () => {
    const name = await run(sh('echo fine'));
    await check(name);
    const file = join((await labelsOf(name))['nerdctl/state-dir'] ?? '', 'health.json');
    writeFileSync(file, `garbage\n${readFileSync(file, 'utf8')}{"Start":"20`);
    const shown = await bed.cli(['inspect', name]);
    expect(shown.stderr).toContain('damaged');
    expect((JSON.parse(shown.stdout) as Document[])[0]?.State.Health?.Log.map(({ Output }) => Output)).toEqual([
      'fine\n',
    ]);
    await check(name);
    expect(await bed.cli(['inspect', name])).toMatchObject({ code: 0, stderr: expect.not.stringContaining('damaged') });
  });

  test('a label that is not JSON gives no check, a warning, and an error', async () => {
    const name = await run(sh('true'));
    const { Id: id } = await inspect(name);
    await bed.ctr('containers', 'label', id, 'nerdctl/healthcheck=not json');
    expect(await bed.cli(['inspect', '--format', '{{json .State.Health}}', name])).toMatchObject({
      code: 0,
      stdout: 'null\n',
      stderr: expect.stringContaining('damaged'),
    });
    expect(await bed.cli(['container', 'healthcheck', name])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not JSON'),
    });
  });

  test('the state is what nerdctl wrote last', async () => {
    const name = await run(sh('true'));
    await check(name);
    const { Id: id } = await inspect(name);
    const file = join((await labelsOf(name))['nerdctl/state-dir'] ?? '', 'health.json');
    const now = new Date().toISOString();
    await bed.ctr(
      'containers',
      'label',
      id,
      'nerdctl/healthstate={"Status":"unhealthy","FailingStreak":3,"InStartPeriod":false}',
    );
    appendFileSync(file, `${JSON.stringify({ Start: now, End: now, ExitCode: 1, Output: 'nerdctl saw this' })}\n`);
    expect(await health(name)).toBe('unhealthy/3/2');
    await check(name);
    expect(await health(name)).toBe('healthy/0/3');
    expect(JSON.parse((await labelsOf(name))['nerdctl/healthstate'] ?? '')).toMatchObject({
      Status: 'healthy',
      FailingStreak: 0,
    });
  });

  test('checks a container of another tool by its label', async () => {
    const id = bed.name('foreign');
    await bed.ctr(
      'run',
      '-d',
      '--label',
      'nerdctl/healthcheck={"Test":["CMD-SHELL","echo from a foreign one"],"Retries":1}',
      await bed.image(),
      id,
      'sleep',
      '600',
    );
    expect(await health(id)).toBe('starting/0/0');
    await check(id);
    expect(await lastEntry(id)).toMatchObject({ ExitCode: 0, Output: 'from a foreign one\n' });
    expect(await health(id)).toBe('healthy/0/1');
  });

  test("ignores a state directory outside nerdctl's root", async () => {
    const id = bed.name('hostile');
    const elsewhere = join(bed.directory, 'elsewhere');
    mkdirSync(elsewhere);
    await bed.ctr(
      'run',
      '-d',
      '--label',
      'nerdctl/healthcheck={"Test":["CMD","true"]}',
      '--label',
      `nerdctl/state-dir=${elsewhere}`,
      await bed.image(),
      id,
      'sleep',
      '600',
    );
    await check(id);
    expect(() => statSync(join(elsewhere, 'health.json'))).toThrow('ENOENT');
    expect(await health(id)).toBe('healthy/0/1');
  });

  test('drops labels of an image with reserved prefixes', async () => {
    const image = await bed.image({
      Labels: {
        'nerdctl/state-dir': '/etc',
        'healthctl/owner': 'evil',
        'containerd.io/restart.status': 'running',
        fine: 'yes',
      },
    });
    const labels = await labelsOf(await run([], { image }));
    expect(labels['nerdctl/state-dir']).toContain(bed.runRoot);
    expect(labels).not.toHaveProperty('containerd.io/restart.status');
    expect(labels).toMatchObject({ fine: 'yes' });
    expect(labels['healthctl/owner']).not.toBe('evil');
  });
});

describe('a check by hand', () => {
  test("container healthcheck exits with 0 for every result, and with nerdctl's errors otherwise", async () => {
    const failing = await run(sh('exit 9'));
    expect(await bed.cli(['container', 'healthcheck', failing])).toMatchObject({ code: 0 });
    const created = bed.name('h');
    await bed.ok(['create', '--name', created, ...sh('true'), await bed.image()]);
    const stopped = await run(sh('true'));
    await bed.ok(['stop', '-t', '0', stopped]);
    const expected: [string, string][] = [
      ['non-existent', 'no such container non-existent'],
      [await run([]), 'container has no health check configured'],
      [created, 'failed to get container task: no running task found'],
      [stopped, 'container is not running (status: stopped)'],
    ];
    for (const [name, text] of expected) {
      expect(await bed.cli(['container', 'healthcheck', name]), name).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining(text),
      });
    }
  });

  test("healthcheck run has Podman's texts and exit statuses", async () => {
    const name = await run(sh('test ! -e /bad', '--health-retries', '1'));
    expect(await bed.cli(['healthcheck', 'run', name])).toMatchObject({ code: 0, stdout: '' });
    await inside(name, 'touch /bad');
    expect(await bed.cli(['healthcheck', 'run', name])).toMatchObject({ code: 1, stdout: 'unhealthy\n' });
    expect(await bed.cli(['healthcheck', 'run', '--ignore-result', name])).toMatchObject({
      code: 0,
      stdout: 'unhealthy\n',
    });
    expect(await bed.cli(['healthcheck', 'run', 'nobody'])).toMatchObject({ code: 125 });
    expect(await bed.cli(['healthcheck', 'run', await run([])])).toMatchObject({ code: 125 });
  });
});
