import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

interface Row {
  readonly Time: string;
  readonly Kind: string;
  readonly Status: string;
  readonly Event: string;
  readonly ExitCode: string;
  readonly Text: string;
  readonly ID: string;
}
const rowsOf = async (name: string, ...options: string[]): Promise<readonly Row[]> =>
  (await bed.ok(['history', name, '--format', 'json', ...options]))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
const phasesOf = async (name: string): Promise<readonly string[]> =>
  (await rowsOf(name, '--transitions')).map(({ Status, Event }) => Status || Event);
/** The monitor writes every five seconds. */
const untilWritten = (is: () => Promise<boolean>) => until(is, { withinMs: 60_000 });
const healthOf = async (name: string, ...options: string[]): Promise<Readonly<Record<string, string>> | undefined> =>
  (await bed.ok(['health', '--format', 'json', ...options]))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, string>>)
    .find(({ Name }) => Name === name);

const runCommand = (name: string, command: readonly string[], ...options: string[]) =>
  bed.ok([
    ...['run', '-d', '--name', name, '--health-interval', '300ms', '--health-retries', '1'],
    ...['--health-cmd', 'test ! -e /dev/shm/broken || { echo first; echo it broke; exit 4; }', ...options],
    ...[image, ...command],
  ]);
const run = (name: string, ...options: string[]) => runCommand(name, ['sleep', '600'], ...options);

test('the history of a container has results, changes, a restart and its end, also after its removal', async () => {
  const name = bed.name('past');
  await run(name, '--health-on-failure', 'restart', '--stop-timeout', '1');
  await untilWritten(async () => (await phasesOf(name)).includes('healthy'));
  await bed.ok(['exec', name, 'touch', '/dev/shm/broken']);
  await untilWritten(async () => (await phasesOf(name)).includes('restart by the monitor'));
  await untilWritten(async () => (await phasesOf(name)).at(-1) === 'healthy');

  const failures = (await rowsOf(name, '--status', 'unhealthy')).filter(({ Kind }) => Kind === 'result');
  expect(failures.length).toBeGreaterThan(0);
  expect(failures[0]).toMatchObject({ Event: 'failed (4)', ExitCode: '4', Text: 'it broke' });
  const [whole] = (await rowsOf(name, '--status', 'unhealthy', '--no-trunc')).filter(({ Kind }) => Kind === 'result');
  expect(whole?.Text).toBe(String.raw`first\x0ait broke`);
  expect(await healthOf(name)).toMatchObject({ Status: 'healthy', Flaps: '1', Restarts: '1', Image: image });
  expect(Number((await healthOf(name))?.Checks)).toBeGreaterThan(3);

  await bed.ok(['rm', '-f', name]);
  await untilWritten(async () => (await phasesOf(name)).at(-1) === 'gone');
  expect(await healthOf(name)).toBeUndefined();
  expect(await healthOf(name, '--all')).toMatchObject({ Status: 'gone' });

  // The name is used again: both containers are shown, with their ids.
  await run(name);
  await untilWritten(async () => new Set((await rowsOf(name)).map(({ ID }) => ID)).size === 2);
  await bed.ok(['rm', '-f', name]);
});

test('a killed monitor loses at most its last batch; a damaged file is set aside', async () => {
  const name = bed.name('killed');
  await run(name);
  await untilWritten(async () => (await rowsOf(name)).length > 10);
  const before = await rowsOf(name);
  const { pid } = JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json'])) as { pid: number };
  process.kill(pid, 'SIGKILL');
  expect((await rowsOf(name)).length).toBeGreaterThanOrEqual(before.length);
  const dir = join(bed.dataRoot, hostIdOf(bed.address), 'history');
  const damaged = join(dir, `raw-${Date.now()}`);
  writeFileSync(damaged, 'not a segment');
  const warned = await bed.cli(['history', name]);
  expect([warned.code, warned.stderr]).toEqual([
    0,
    expect.stringContaining(`${damaged} is damaged; it is now ${damaged}.not-ours-`),
  ]);
  expect((await bed.cli(['history', name])).stderr).not.toContain('damaged');
  expect((await rowsOf(name)).length).toBeGreaterThanOrEqual(before.length);
  const journal = readdirSync(dir).find((file) => file.startsWith('journal-')) ?? '';
  truncateSync(join(dir, journal), 100);
  await bed.ok(['restart', '--time', '1', name]); // starts a monitor again
  await untilWritten(async () => (await rowsOf(name)).some(({ Kind }) => Kind === 'result'));
  await bed.ok(['rm', '-f', name]);
});

test('a new monitor continues the statuses that it finds', async () => {
  const [healthy, paused, ended] = [bed.name('healthy'), bed.name('paused'), bed.name('ended')];
  for (const name of [healthy, paused]) await run(name);
  await runCommand(ended, ['sh', '-c', 'sleep 3; exit 7']);
  for (const name of [healthy, paused]) await untilWritten(async () => (await phasesOf(name)).at(-1) === 'healthy');
  await bed.ok(['pause', paused]);
  const changesOf = async (name: string) =>
    (await rowsOf(name, '--transitions')).map(({ Time, Status }) => [Time, Status]);
  await untilWritten(async () => (await phasesOf(paused)).at(-1) === 'paused');
  await untilWritten(async () => (await phasesOf(ended)).at(-1) === 'ended');
  const before = await Promise.all([healthy, paused, ended].map(changesOf));
  await bed.ok(['daemon', 'stop']);
  await bed.ok(['daemon', 'start']);
  const { length } = await rowsOf(healthy);
  await untilWritten(async () => (await rowsOf(healthy)).length > length + 1);
  expect(await Promise.all([healthy, paused, ended].map(changesOf))).toEqual(before);
  await bed.ok(['rm', '-f', healthy, paused, ended]);
});

test('another check begins now, not at the start of the container', async () => {
  const name = bed.name('another');
  await run(name);
  await untilWritten(async () => (await phasesOf(name)).at(-1) === 'healthy');
  await bed.ok(['update', '--health-cmd', 'true', '--health-start-period', '0s', name]);
  await untilWritten(async () => (await phasesOf(name)).length > 3);
  expect(await phasesOf(name)).toEqual(['starting', 'healthy', 'starting', 'healthy']);
  await bed.ok(['rm', '-f', name]);
});

test('a name that no container ever had', async () => {
  const { code, stderr } = await bed.cli(['history', 'nobody']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('No such container in the history: nobody')]);
});
