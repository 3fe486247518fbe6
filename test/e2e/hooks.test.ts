import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive, readStat } from '../../src/system/proc.ts';
import { mustRun, startProgram } from '../../testbed/program.ts';
import { removeTree } from '../../testbed/testbed-remains.ts';
import { type Bed, HEALTHCTL, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'healthctl-hooks-'));
  const program = (name: string, text: string): string => {
    writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(directory, name), 0o755);
    return join(directory, name);
  };
  const note = program('note', `echo "$HEALTHCTL_EVENT $HEALTHCTL_CONTAINER_NAME $1" >>"$2"; cat >>"$2"`);
  const hang = program(
    'hang',
    'echo $$ >>"$1"; echo "$(nice) $(printenv MALLOC_ARENA_MAX || echo none)" >"$1-setting"; sleep 600',
  );
  const fail = program('fail', 'echo once >>"$1"; echo no such team >&2; exit 3');
  const out = (name: string): string => join(directory, name);
  bed = await openBed([
    'autostart = true',
    ...['[[hook]]', `command = ["${note}", "first", "${out('noted')}"]`],
    ...['[[hook]]', `command = ["${hang}", "${out('hung')}"]`, 'timeout = "3s"', 'on = ["healthy"]'],
    ...['[[hook]]', `command = ["${fail}", "${out('failed')}"]`, 'retries = 1', 'on = ["unhealthy"]'],
  ]);
  image = await bed.image();
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await removeTree(directory);
});

const linesOf = (name: string): readonly string[] =>
  existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8').trimEnd().split('\n') : [];

test('hooks get health changes and restarts; one that hangs or fails delays nothing', async () => {
  const name = bed.name('web');
  const check = [
    '--health-cmd',
    'test ! -e /dev/shm/broken || { echo it broke; exit 4; }',
    '--health-interval',
    '200ms',
  ];
  const acting = ['--health-retries', '1', '--health-on-failure', 'restart', '--stop-timeout', '0'];
  const id = await bed.ok(['run', '-d', '--name', name, ...check, ...acting, image, 'sleep', '600']);
  await until(() => linesOf('hung').length === 1);
  await until(() => linesOf('hung-setting').length === 1 && linesOf('hung-setting')[0] !== '');
  expect(linesOf('hung-setting')).toEqual(['0 none']);
  await bed.ok(['exec', name, 'touch', '/dev/shm/broken']);
  const restarted = () => linesOf('noted').findLastIndex((line) => line.startsWith('healthy '));
  await until(() => restarted() > 4 && linesOf('noted').at(-1)?.startsWith('{'), { withinMs: 20_000 });
  const shown = linesOf('noted').filter((line) => !line.startsWith('{'));
  expect(shown).toEqual(['healthy', 'unhealthy', 'restart', 'healthy'].map((event) => `${event} ${name} first`));
  const documents = linesOf('noted').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  expect(documents).toHaveLength(4);
  const common = { namespace: bed.namespace, id, name, image, time: expect.stringMatching(/^\d{4}-.*Z$/) };
  expect(documents[1]).toEqual({ event: 'unhealthy', ...common, failingStreak: 1, exitCode: 4, output: 'it broke\n' });
  expect(documents[2]).toEqual({ event: 'restart', ...common, reason: 'unhealthy: it broke' });
  await until(() => linesOf('failed').length === 2);
  const log = await bed.ok(['daemon', 'logs']);
  expect(log).toContain('failed; retrying: it ended with status 3: no such team');
  await until(() => linesOf('hung').length === 2, { withinMs: 20_000 });
  const { stdout } = await bed.cli(['daemon', 'stop']);
  expect(stdout).toBe('');
  await until(() => linesOf('hung').every((pid) => !isAlive(readStat(Number(pid)))));
  await bed.ok(['rm', '-f', name]);
});

test('a monitor has a raised priority, unless it was started with a priority of its own', async () => {
  const priorityOfMonitor = async (): Promise<number> => {
    const { pid } = JSON.parse(await bed.ok(['daemon', 'status', '--format', 'json'])) as { readonly pid: number };
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')).toContain('MALLOC_ARENA_MAX=1');
    const group = `/proc/${pid}/autogroup`;
    // There may be no autogroups, and the file is empty for a process whose session began before them.
    const shown = existsSync(group) ? readFileSync(group, 'latin1') : '';
    if (shown !== '') expect(shown).toContain(` nice ${getPriority(pid) < 0 ? -10 : 0}\n`);
    return getPriority(pid);
  };
  await bed.ok(['daemon', 'start']);
  expect(await priorityOfMonitor()).toBe(-10);
  await bed.ok(['daemon', 'stop']);
  const nicely = ['nice', '-n', '5', HEALTHCTL, ...bed.globalFlags, 'daemon'];
  await mustRun([...nicely, 'start'], { env: bed.env });
  expect(await priorityOfMonitor()).toBe(-10);
  await bed.ok(['daemon', 'stop']);
  const monitor = startProgram([...nicely, 'run'], { env: { ...bed.env, MALLOC_ARENA_MAX: '1' } });
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
  expect(await priorityOfMonitor()).toBe(getPriority() + 5);
  monitor.kill('SIGTERM');
  await monitor.exited;
});
