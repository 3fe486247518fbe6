import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

// Logs with a monitor: with times, in order, and limited.
let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  await bed.ok(['daemon', 'start']);
});
afterAll(() => bed[Symbol.asyncDispose]());

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (.*)$/;
const sh = (script: string) => [image, 'sh', '-c', script];

function stamped(text: string): readonly { readonly atMs: number; readonly line: string }[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((text) => {
    const [, stamp = '', line = ''] = STAMP.exec(text) ?? [];
    return { atMs: Date.parse(stamp), line };
  });
}

test('lines have the times at which they came, and both streams are in order', async () => {
  const name = bed.name('times');
  const before = Date.now();
  await bed.ok([
    'run',
    '-d',
    '--name',
    name,
    ...sh('echo one; sleep 1.5; echo two >&2; sleep 1.5; echo three; sleep 600'),
  ]);
  await until(async () => (await bed.ok(['logs', name])).includes('three'));
  const { stdout, stderr } = await bed.cli(['logs', '-t', name]);
  expect(stderr).toMatch(/^\S+ two\n$/); // and no warning
  const [one, three] = stamped(stdout);
  const [two] = stamped(stderr);
  expect([one?.line, two?.line, three?.line]).toEqual(['one', 'two', 'three']);
  const [first, second, third] = [one?.atMs ?? 0, two?.atMs ?? 0, three?.atMs ?? 0];
  expect(first).toBeGreaterThan(before);
  expect(second - first).toBeGreaterThan(400);
  expect(third - second).toBeGreaterThan(400);
  expect(third).toBeLessThanOrEqual(Date.now());

  const range = (...args: string[]) => bed.cli(['logs', ...args, name]);
  const at = (ms: number) => `${(ms / 1000).toFixed(3)}`;
  expect(await range('--since', at(first + 200))).toMatchObject({ stdout: 'three\n', stderr: 'two\n' });
  expect(await range('--until', at(third - 200))).toMatchObject({ stdout: 'one\n', stderr: 'two\n' });
  // The last lines of both streams together, as in Docker.
  expect(await range('--tail', '2')).toMatchObject({ stdout: 'three\n', stderr: 'two\n' });
  expect(await range('--tail', '1')).toMatchObject({ stdout: 'three\n', stderr: '' });
  expect((await range('--since', '5', '--until', '4')).stderr).toContain('cannot be after `until` time');
  await bed.ok(['rm', '--force', name]);
});

test('--details shows the labels and variables that the log options name', async () => {
  const name = bed.name('details');
  const options = ['--log-opt', 'env=ENV', '--env', 'ENV=foo bar', '--log-opt', 'labels=LABEL', '--label', 'LABEL=bar'];
  await bed.ok(['run', '--name', name, ...options, ...sh('echo one; echo two >&2; printf three')]);
  const shown = await bed.cli(['logs', '--details', name]);
  expect(shown.stdout).toBe('ENV=foo+bar,LABEL=bar one\nENV=foo+bar,LABEL=bar three');
  expect(shown.stderr).toBe('ENV=foo+bar,LABEL=bar two\n');
  const last = await bed.cli(['logs', '-f', '--details', '-t', '--tail', '1', name]);
  // If the container ended before the monitor saw it, all its lines have one time, and the last line of each stream is
  // shown.
  expect(`${last.stdout}${last.stderr}`).toMatch(/^\S+Z ENV=foo[+]bar,LABEL=bar (two|three)/m);
  await bed.ok(['rm', name]);
  const refused = await bed.cli(['create', '--log-opt', 'labels-regex=(', image]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('log opt labels-regex: ')]);
});

test("with --log-driver json-file, LogPath names a file in Docker's form", async () => {
  const logPath = (name: string) => bed.ok(['inspect', '-f', '{{.LogPath}}', name]);
  const name = bed.name('json');
  const flags = ['--log-driver', 'json-file', '--log-opt', 'labels=LABEL', '--label', 'LABEL=bar'];
  const id = await bed.ok([
    'run',
    '-d',
    '--name',
    name,
    ...flags,
    ...sh('echo one; sleep 1; echo two >&2; printf end'),
  ]);
  const path = await logPath(name);
  expect(basename(path)).toBe(`${id}-json.log`);
  const read = (file: string) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line): readonly Record<string, unknown>[] => (line === '' ? [] : [JSON.parse(line)]));
  await until(() => existsSync(path) && read(path).length === 3);
  const attrs = { LABEL: 'bar' };
  expect(read(path)).toEqual([
    { log: 'one\n', stream: 'stdout', attrs, time: expect.stringMatching(/Z$/) },
    { log: 'two\n', stream: 'stderr', attrs, time: expect.stringMatching(/Z$/) },
    { log: 'end', stream: 'stdout', attrs, time: expect.stringMatching(/Z$/) },
  ]);
  await bed.ok(['rm', name]);
  expect(existsSync(path)).toBe(false);

  const limited = bed.name('json');
  const limit = ['--log-driver', 'json-file', '--log-opt', 'max-size=5k', '--log-opt', 'max-file=2'];
  await bed.ok(['run', '-d', '--name', limited, ...limit, ...sh('seq 100000 101000')]);
  const last = await logPath(limited);
  await until(() => existsSync(last) && read(last).at(-1)?.log === '101000\n');
  const files = readdirSync(dirname(last)).filter((file) => file.includes('-json.log'));
  expect(files.sort()).toEqual([basename(last), `${basename(last)}.1`]);
  for (const file of files) expect(statSync(join(dirname(last), file)).size).toBeLessThanOrEqual(5_000);
  await bed.ok(['rm', limited]);

  const plain = bed.name('plain');
  await bed.ok(['run', '--name', plain, ...sh('echo one')]);
  expect(readFileSync(await logPath(plain), 'utf8')).toBe('one\n');
  await bed.ok(['rm', plain]);
});

test('-f continues with times, and ends at --until', async () => {
  const name = bed.name('follow');
  await bed.ok(['run', '-d', '--name', name, ...sh('i=0; while :; do echo $((i=i+1)); sleep 0.1; done')]);
  const untilMs = Date.now() + 2_000;
  const { code, stdout } = await bed.cli(['logs', '-f', '-t', '--until', (untilMs / 1000).toFixed(3), name]);
  const lines = stamped(stdout);
  expect([code, lines.length > 6]).toEqual([0, true]);
  expect(lines.map(({ line }) => line)).toEqual(lines.map((_, index) => `${index + 1}`));
  expect(lines.at(-1)?.atMs).toBeLessThanOrEqual(untilMs);
  await bed.ok(['rm', '--force', name]);
});

test('a log is limited while the container writes; without a monitor only times are lost', async () => {
  const name = bed.name('limited');
  const limit = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=2'];
  const script = 'i=0; while :; do i=$((i+1)); echo $i; [ $((i % 500)) = 0 ] && sleep 0.02; done';
  const id = await bed.ok(['run', '-d', '--name', name, ...limit, ...sh(script)]);
  const dir = join(bed.dataRoot, readdirSync(bed.dataRoot)[0] ?? '', 'containers', bed.namespace, id);
  const log = join(dir, 'stdout.log');
  await until(() => statSync(log).size > 200_000);
  await until(() => statSync(log).blocks * 512 < 50_000);
  expect(await bed.ok(['inspect', '--format', '{{json .HostConfig.LogConfig}}', name])).toBe(
    '{"Type":"json-file","Config":{"max-file":"2","max-size":"20k"}}',
  );
  const isWhole = (text: string): void => {
    const numbers = text.trimEnd().split('\n').map(Number);
    expect(numbers.length).toBeGreaterThan(1_000);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  };
  isWhole(await bed.ok(['logs', name]));

  const { pid } = JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json']));
  process.kill(pid, 'SIGKILL');
  const killedAt = statSync(log).size;
  const killedAtMs = Date.now();
  // The container was not delayed, and the index lags by more than with a monitor.
  await until(() => statSync(log).size > killedAt + 100_000 && Date.now() - killedAtMs > 2_500);
  await bed.ok(['pause', name]);
  const alone = await bed.cli(['logs', '-t', name]);
  expect(alone.stderr).toContain('not all times are known exactly');
  isWhole(
    stamped(alone.stdout)
      .map(({ line }) => line)
      .join('\n'),
  );
  await bed.ok(['unpause', name]);
  await bed.ok(['daemon', 'start']);
  await until(() => statSync(log).blocks * 512 < 60_000);
  await bed.ok(['rm', '--force', name]);
  expect(existsSync(dir)).toBe(false);
});

test('--log-driver none stores nothing; an unknown driver or option is refused', async () => {
  const name = bed.name('none');
  const none = ['--log-driver', 'none'];
  expect(await bed.cli(['run', '--name', name, ...none, ...sh('echo seen; echo err >&2')])).toMatchObject({
    code: 0,
    stdout: 'seen\n',
    stderr: 'err\n',
  });
  const dataDir = join(bed.dataRoot, readdirSync(bed.dataRoot)[0] ?? '', 'containers', bed.namespace);
  const files = () => readdirSync(dataDir, { recursive: true }).filter((file) => `${file}`.endsWith('.log'));
  expect(files()).toEqual([]);
  expect(await bed.cli(['logs', name])).toMatchObject({
    code: 1,
    stderr: 'healthctl: configured logging driver does not support reading\n',
  });
  for (const tty of [[], ['-t']]) {
    const detached = bed.name('none');
    await bed.ok(['run', '-d', '--name', detached, ...tty, ...none, ...sh('echo x; echo y >&2; exit 3')]);
    expect(await bed.ok(['wait', detached])).toBe('3');
    expect(files()).toEqual([]);
    await bed.ok(['rm', detached]);
  }
  await bed.ok(['rm', name]);
  const refused = async (...args: string[]) => (await bed.cli(['create', ...args, image])).stderr;
  expect(await refused('--log-opt', 'x=1')).toContain("unknown log opt 'x' for json-file log driver");
  expect(await refused('--log-driver', 'syslog')).toContain(
    'error looking up logging plugin syslog: plugin "syslog" not found',
  );
});
