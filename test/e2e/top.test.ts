import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeWith } from '../../testbed/needed-program.ts';
import { listProcesses } from '../../testbed/processes.ts';
import { openTerminal, type Terminal } from '../../testbed/tmux.ts';
import { golden } from '../golden/golden.ts';
import { type Bed, HEALTHCTL, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;

beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
  const run = (name: string, ...args: string[]) => bed.ok(['run', '-d', '--name', name, ...args]);
  // Checked by hand alone: what is on the screen stays.
  const checked = ['--health-interval', '1h', '--health-retries', '1', '--health-cmd'];
  await run(
    'web',
    '--stop-timeout',
    '1',
    ...checked,
    'test ! -e /dev/shm/broken || { echo it broke; exit 4; }',
    image,
    'sleep',
    '600',
  );
  await run('api', ...checked, 'echo refused; echo by the server; exit 3', image, 'sleep', '600');
  await run('plain', image, 'sleep', '600');
  await run('crashed', image, 'sh', '-c', 'exit 7');
  await until(async () => (await bed.ok(['ps', '-a', '--filter', 'name=crashed'])).includes('Exited (7)'));
  // Last: the monitor has not written the results yet when the first test asks.
  for (const name of ['web', 'api', 'web', 'api']) await bed.cli(['container', 'healthcheck', name]);
});
afterAll(() => bed[Symbol.asyncDispose]());

describe('without a terminal', () => {
  const rowsOf = async (...args: string[]): Promise<readonly Readonly<Record<string, string>>[]> =>
    (await bed.ok(['top', '--format', 'json', ...args], { env: { LC_ALL: 'C' } }))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Readonly<Record<string, string>>);

  test('json for programs, and filters as in ps', async () => {
    // All but the last result of each are in the history, which the monitor writes every five seconds, and when asked.
    const rows = await rowsOf();
    expect(rows.map(({ Name, Status, Streak, Results }) => [Name, Status, Streak, Results])).toEqual([
      ['api', 'unhealthy', '2', '##'],
      ['crashed', 'ended (7)', '', ''],
      ['web', 'healthy', '0', '..'],
      ['plain', 'unchecked', '', ''],
    ]);
    const web = rows.find(({ Name }) => Name === 'web');
    expect(web).toMatchObject({
      Next: expect.stringMatching(/^\d+m$/),
      Took: expect.stringMatching(/s$/),
      Image: image,
    });
    expect(web).toMatchObject({
      CPU: expect.stringMatching(/^[\d.]+%$/),
      Memory: expect.stringMatching(/^[\d.]+[KM]$/),
    });
    expect((await rowsOf('--filter', 'health=healthy')).map(({ Name }) => Name)).toEqual(['web']);
    const everywhere = await rowsOf('-A', '--sort', 'name'); // other files of tests use the same containerd
    const own = everywhere.filter(({ Namespace }) => Namespace === bed.namespace);
    expect(own.map(({ Name }) => Name)).toEqual(['api', 'crashed', 'plain', 'web']);
  });

  test('it prints a table once, those that need a look first', async () => {
    const { stdout, stderr, code } = await bed.cli(['top']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')[0]).toMatch(/^NAME +STATUS +SINCE +STREAK +NEXT +TOOK +CPU +MEMORY +RESULTS$/);
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'NAME',
      'api',
      'crashed',
      'web',
      'plain',
      '',
    ]);
  });

  test('--interval prints again and again, until a signal', async () => {
    const top = bed.spawn(['top', '--interval', '200ms', '--format', '{{.Name}}']);
    await until(() => top.stdout().split('api').length > 3);
    top.kill('SIGTERM');
    expect((await top.exited).code).toBe(143);
  });

  test('its options do not go with a container; a wrong one is refused', async () => {
    expect(await bed.cli(['top', '--once', 'web'])).toMatchObject({ code: 125, stdout: '' });
    expect((await bed.cli(['top', '--sort', 'colour'])).stderr).toContain('must be one of name, status');
    expect((await bed.cli(['top', '--interval', '10ms'])).stderr).toContain('at least 200ms');
  });
});

/** What changes from run to run. Widths stay, so that columns are compared too. */
const masked = (lines: readonly string[]): string =>
  `${lines
    .join('\n')
    .replace(/\d\d:\d\d:\d\d/g, 'HH:MM:SS')
    .replace(bed.namespace, 'NAMESPACE'.padEnd(bed.namespace.length))
    .replace(/ +monitor \d+.*$/m, ' MONITOR')
    .replace(/ +(\d+(ms|s|m)|\d+\.\d\ds|\d+\.\ds)(?= |$)/gm, (text) => 'SPAN'.padStart(text.length))
    .replace(/ +[\d.]+%/g, (text) => 'CPU'.padStart(text.length))
    .replace(/ +[\d.]+[KM](?= |$)/gm, (text) => 'SIZE'.padStart(text.length))}\n`;

describeWith('tmux', 'in tmux', () => {
  let terminal: Terminal;
  const start = async (...args: string[]): Promise<void> => {
    await terminal.type(`clear; ${[HEALTHCTL, ...bed.globalFlags, 'top', ...args].join(' ')}; echo "left with $?"`);
    await terminal.shows('NAME ');
    await terminal.shows(/web .*%/); // CPU is known after the second look
  };
  const topPid = (): number => {
    const found = listProcesses().find(({ args }) => args.includes('top') && args.includes(bed.runRoot));
    return found?.pid ?? expect.fail('top does not run');
  };
  /** The shell has the terminal again as it was. */
  const expectRestored = async (code: number): Promise<void> => {
    await terminal.shows(`left with ${code}`);
    expect(await terminal.modes()).toEqual({ isAlternate: false, hasCursor: true });
    await terminal.type('clear; stty -a | tail -n +2 | cksum');
    expect((await terminal.shows(/^\d+ \d+$/m)).find((line) => /^\d+ \d+$/.test(line))).toBe(settings);
  };
  let settings = '';

  beforeEach(async () => {
    terminal = await openTerminal({ directory: bed.directory, env: bed.env, columns: 96, rows: 12 });
    await terminal.type('clear; stty -a | tail -n +2 | cksum');
    settings = (await terminal.shows(/^\d+ \d+$/m)).find((line) => /^\d+ \d+$/.test(line)) ?? '';
    expect(settings).not.toBe('');
  });
  afterEach(() => terminal[Symbol.asyncDispose]());

  test('the list, its keys, a search, the size of the terminal, and the end', async () => {
    await start();
    expect(masked(await terminal.screen())).toBe(golden('screens/top.txt', masked(await terminal.screen())));
    expect(await terminal.modes()).toEqual({ isAlternate: true, hasCursor: false });
    await terminal.press('G');
    await terminal.shows(/^>plain/m);
    await terminal.press('Up');
    await terminal.shows(/^>web/m);
    await terminal.press('/', 'a', 'p', 'i', 'Enter');
    await terminal.shows('shown 1: /api');
    await terminal.press('Escape');
    await terminal.shows('4 containers:');
    await terminal.resize(52, 8);
    const small = masked(await terminal.shows(/~$/m));
    expect(small).toBe(golden('screens/top-small.txt', small));
    await terminal.press('q');
    await expectRestored(0);
  });

  test('the details of a container: its check, and its results with their output', async () => {
    await terminal.resize(96, 60);
    await start();
    await terminal.press('Enter');
    const page = await terminal.shows('Results, the newest first:');
    const text = page.join('\n');
    expect(text).toMatch(/ api: unhealthy, for /);
    expect(text).toMatch(/Test: +\["CMD-SHELL","echo refused; echo by the server; exit 3"\] {2}from a flag/);
    expect(text).toMatch(/Checked by: +the monitor, process \d+/);
    expect(text).toMatch(/\d\d:\d\d:\d\d {2}failed \(3\) +\d+ms refused\n +by the server/);
    await terminal.press('q', 'q');
    await expectRestored(0);
  });

  test('a check and a restart, after a confirmation', async () => {
    await start();
    await terminal.press('G', 'Up', 'c');
    await terminal.shows('Check web now, besides its schedule? [y/N]');
    await terminal.press('n', 'c', 'y');
    await terminal.shows(/web: the check passed in \S+, healthy/);
    const pid = await bed.ok(['inspect', '--format', '{{.State.Pid}}', 'web']);
    await terminal.press('r', 'y');
    await terminal.shows('web was restarted', 60_000);
    await terminal.shows(/web +starting/);
    expect(await bed.ok(['inspect', '--format', '{{.State.Pid}}', 'web'])).not.toBe(pid);
    await bed.ok(['container', 'healthcheck', 'web']);
    await terminal.shows(/web +healthy/);
    await terminal.press('C-c');
    await expectRestored(130);
  });

  test('Ctrl-Z gives the terminal back, fg takes it again; SIGTERM restores it', async () => {
    await start();
    await terminal.press('C-z');
    await terminal.shows(/Stopped|suspended/i);
    expect(await terminal.modes()).toEqual({ isAlternate: false, hasCursor: true });
    await terminal.type('fg');
    await terminal.shows('r restart');
    expect(await terminal.modes()).toEqual({ isAlternate: true, hasCursor: false });
    process.kill(topPid(), 'SIGTSTP');
    await until(async () => !(await terminal.modes()).isAlternate);
    await terminal.type('fg; echo "left with $?"');
    await terminal.shows('r restart');
    process.kill(topPid(), 'SIGTERM');
    await expectRestored(143);
  });

  test('Ctrl-Z twice at once stops it once, and it can be stopped again', async () => {
    await start();
    for (const keys of [['C-z', 'C-z'], ['C-z']]) {
      await terminal.press(...keys);
      await until(async () => !(await terminal.modes()).isAlternate);
      await terminal.type('clear; jobs; echo "asked"');
      await terminal.shows(/Stopped[\s\S]*asked/);
      await terminal.type('fg');
      await terminal.shows('r restart');
    }
    await terminal.press('q');
    await terminal.shows('$');
    expect((await terminal.modes()).isAlternate).toBe(false);
  });

  test('a terminal that can only print gets lines', async () => {
    await terminal.type(`clear; TERM=dumb ${[HEALTHCTL, ...bed.globalFlags, 'top'].join(' ')}; echo "left with $?"`);
    await terminal.shows('left with 0');
    await terminal.shows(/^api +unhealthy/m);
  });

  test('without colours', async () => {
    const coloured = async () => (await terminal.coloured()).join('\n').match(/\[3[1-3]m/g)?.length ?? 0;
    await start();
    expect(await coloured()).toBeGreaterThan(0);
    await terminal.press('q');
    await expectRestored(0);
    await terminal.type('export NO_COLOR=1');
    await start();
    expect(await coloured()).toBe(0);
    await terminal.press('q');
    await expectRestored(0);
  });

  test('when the monitor ends, it says that nobody checks', async () => {
    await start();
    await bed.ok(['daemon', 'stop']);
    await terminal.shows('nobody checks on schedule: no monitor runs: healthctl daemon start');
    expect((await terminal.screen()).join('\n')).toMatch(/api +unhealthy/);
    await terminal.press('q');
    await expectRestored(0);
    expect((await bed.cli(['top', '--once'])).stderr).toContain('nobody checks on schedule: no monitor runs');
  });
});
