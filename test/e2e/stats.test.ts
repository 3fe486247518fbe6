import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  engine = await startEngine(bed);
  await bed.ok([
    'run',
    '-d',
    '--name',
    'busy',
    '-m',
    '64m',
    '--pids-limit',
    '20',
    image,
    'sh',
    '-c',
    'while :; do :; done',
  ]);
  await bed.ok(['create', '--name', 'idle', image, 'sleep', '100']);
});
afterAll(() => bed[Symbol.asyncDispose]());

test('stats shows those that run, and with -a all', async () => {
  const [head = '', row = '', ...more] = (await bed.ok(['stats', '--no-stream'])).split('\n');
  expect(head).toMatch(/^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/);
  expect(row).toMatch(/^[0-9a-f]{12} +busy +[1-9]\d*\.\d\d% +\S+[KM]iB \/ 64MiB +\d+\.\d\d% +0B \/ 0B +\S+ \/ \S+ +1$/);
  expect(more).toEqual([]);
  const all = await bed.ok(['stats', '-a', '--no-stream', '--format', '{{.Name}} {{.CPUPerc}} {{.PIDs}}']);
  expect(all.split('\n')[0]).toBe('idle 0.00% 0');
  expect(await bed.cli(['stats', '--no-stream', 'nosuch'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No such container: nosuch'),
  });
});

test('the document once, at once, and of one that does not run', async () => {
  const once = (await engine.ask('GET', '/containers/busy/stats?stream=0')).json as Record<string, never>;
  expect(once).toMatchObject({
    name: '/busy',
    pids_stats: { current: 1, limit: 20 },
    memory_stats: { limit: 64 << 20 },
  });
  const { cpu_stats: now, precpu_stats: before } = once as Record<string, { cpu_usage: { total_usage: number } }>;
  expect(now?.cpu_usage.total_usage).toBeGreaterThan(before?.cpu_usage.total_usage ?? 0);
  expect(before?.cpu_usage.total_usage).toBeGreaterThan(0);
  const atOnce = (await engine.ask('GET', '/containers/busy/stats?stream=false&one-shot=true')).json;
  expect(atOnce).toMatchObject({ preread: '0001-01-01T00:00:00Z' });
  expect(Object.keys(atOnce as object)).not.toContain('name');
  expect((await engine.ask('GET', '/containers/idle/stats?stream=0')).json).toMatchObject({
    name: '/idle',
    read: '0001-01-01T00:00:00Z',
    memory_stats: {},
  });
  expect((await engine.ask('GET', '/containers/busy/stats?stream=1&one-shot=1')).status).toBe(400);
});

test('a stream goes on through start and end, and ends with the container', async () => {
  const answer = await engine.open('GET', '/containers/idle/stats');
  let said = '';
  answer.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  const pids = () =>
    said
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { pids_stats: { current?: number } }).pids_stats.current ?? 0);
  await until(() => pids().includes(0), { withinMs: 10_000 });
  await bed.ok(['start', 'idle']);
  await until(() => pids().includes(1), { withinMs: 10_000 });
  const ended = new Promise((resolve) => answer.once('end', resolve));
  await bed.ok(['rm', '-f', 'idle']);
  await ended;
});
