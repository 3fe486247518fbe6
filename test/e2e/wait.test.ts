import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/containerd/client.ts';
import { publishHealthStatus } from '../../src/events/own-events.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
  await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

/** Beds have no monitor unless the test starts one. */
const UNWATCHED = 'WARNING: no monitor checks this container\n';
const CHECKED = ['--health-cmd', 'test -e /tmp/ok || { echo not yet; false; }', '--health-retries', '1'];

async function run(flags: readonly string[] = CHECKED, command: readonly string[] = ['sleep', '600']) {
  const name = bed.name();
  const id = await bed.ok(['run', '-d', '--name', name, ...flags, await bed.image(), ...command]);
  return { name, id };
}

/** Makes a check by hand, and publishes its result. */
async function check({ name, id }: { name: string; id: string }): Promise<void> {
  const { code } = await bed.cli(['healthcheck', 'run', name]);
  const { events, close } = connect(bed);
  try {
    const status = code === 0 ? 'healthy' : 'unhealthy';
    await publishHealthStatus(events, silentLogger, { id, status, failingStreak: code });
  } finally {
    close();
  }
}

describe('wait --condition', () => {
  test('waits for unhealthy and healthy, and prints them', async () => {
    const web = await run();
    const [unhealthy, healthy] = ['unhealthy', 'healthy'].map((word) =>
      bed.spawn(['wait', '--condition', word, web.name]),
    );
    await check(web);
    expect(await unhealthy?.exited).toMatchObject({ code: 0, stdout: 'unhealthy\n', stderr: UNWATCHED });
    await bed.ok(['exec', web.name, 'touch', '/tmp/ok']);
    await check(web);
    expect(await healthy?.exited).toMatchObject({ code: 0, stdout: 'healthy\n', stderr: UNWATCHED });
    expect(await bed.ok(['wait', '--condition', 'healthy', web.name])).toBe('healthy');
  });

  test('fails for a container that exits first', async () => {
    const web = await run(CHECKED, ['sh', '-c', 'until [ -e /end ]; do sleep 0.1; done; exit 3']);
    const waiting = bed.spawn(['wait', '--condition', 'healthy', web.name]);
    await until(() => waiting.stderr() === UNWATCHED);
    await bed.ok(['exec', web.name, 'touch', '/end']);
    expect(await waiting.exited).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `${UNWATCHED}healthctl: container ${web.name} exited (3) before it was healthy\n`,
    });
  });

  test('fails for a container without a check', async () => {
    const { name } = await run([]);
    expect(await bed.cli(['wait', '--condition', 'healthy', name])).toMatchObject({
      code: 1,
      stderr: 'healthctl: container has no health check configured\n',
    });
  });

  test('waits for running, paused, next-exit and removed', async () => {
    const name = bed.name();
    await bed.ok(['create', '--name', name, await bed.image(), 'sh', '-c', 'sleep 600']);
    expect(await bed.ok(['wait', '--condition', 'created', name])).toBe('created');
    expect(await bed.ok(['wait', name])).toBe('0');
    const conditions = ['running', 'paused', 'next-exit', 'removed', 'stopped'];
    const waits = conditions.map((word) => bed.spawn(['wait', '--condition', word, name]));
    const [running, paused, ...ended] = waits;
    await bed.ok(['start', name]);
    expect(await running?.exited).toMatchObject({ code: 0, stdout: 'running\n' });
    await bed.ok(['pause', name]);
    expect(await paused?.exited).toMatchObject({ code: 0, stdout: 'paused\n' });
    await bed.ok(['unpause', name]);
    await bed.ok(['rm', '-f', name]);
    for (const wait of ended) expect(await wait.exited).toMatchObject({ code: 0, stdout: '137\n', stderr: '' });
  });

  test('ends at Ctrl-C', async () => {
    const { name } = await run();
    const waiting = bed.spawn(['wait', '--condition', 'healthy', name]);
    await until(() => waiting.stderr() === UNWATCHED);
    waiting.kill('SIGINT');
    expect(await waiting.exited).toMatchObject({ code: 130, stdout: '', stderr: UNWATCHED });
  });

  test('refuses an unknown condition', async () => {
    const result = await bed.cli(['wait', '--condition', 'happy', 'x']);
    expect(result.code).toBe(125);
    expect(result.stderr).toContain('invalid argument "happy" for "--condition" flag: must be one of not-running, ');
  });
});

describe('run -d --wait and start --wait', () => {
  let monitored: Bed;
  const FAST = [...CHECKED, '--health-interval', '300ms'];
  beforeAll(async () => {
    monitored = await openBed();
    await monitored.image();
    monitored.spawn(['daemon', 'run']);
    await until(async () => (await monitored.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
  });
  afterAll(() => monitored[Symbol.asyncDispose]());

  test('return when the container is healthy', async () => {
    const flags = ['--health-cmd', 'test -e /tmp/ok', '--health-interval', '300ms', '--health-retries', '1000'];
    const running = monitored.spawn([
      'run',
      '-d',
      '--wait',
      '--name',
      'web',
      ...flags,
      await monitored.image(),
      'sleep',
      '600',
    ]);
    await until(async () => (await monitored.ok(['ps', '-q', '--filter', 'name=^web$'])) !== '');
    const id = await monitored.ok(['inspect', '--format', '{{.Id}}', 'web']);
    expect(running.stdout()).toBe('');
    await monitored.ok(['exec', 'web', 'touch', '/tmp/ok']);
    expect(await running.exited).toMatchObject({ code: 0, stdout: `${id}\n`, stderr: '' });
    expect(await monitored.ok(['start', '--wait', 'web'])).toBe('web');
  });

  test('fail with the output of the check when it is unhealthy, exits first or is late', async () => {
    const image = await monitored.image();
    const { code, stdout, stderr } = await monitored.cli([
      'run',
      '-d',
      '--wait',
      '--name',
      'bad',
      ...FAST,
      image,
      'sleep',
      '600',
    ]);
    const reason = 'the last check ended with 1:\nnot yet\n';
    expect([code, stdout, stderr]).toEqual([
      1,
      expect.stringMatching(/^[0-9a-f]{64}\n$/),
      `healthctl: container bad is unhealthy\n${reason}`,
    ]);
    const flags = ['--health-cmd', 'true', '--name'];
    expect(await monitored.cli(['run', '-d', '--wait', ...flags, 'ends', image, 'sh', '-c', 'exit 5'])).toMatchObject({
      code: 1,
      stderr: 'healthctl: container ends exited (5) before it was healthy\nsee: healthctl logs ends\n',
    });
    await monitored.ok(['create', ...flags, 'late', image, 'sleep', '600']);
    expect(await monitored.cli(['start', '--wait', '--wait-timeout', '1', 'late'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'healthctl: container late is not healthy after 1s\nsee: healthctl logs late\n',
    });
  });

  test('do not wait without a monitor: the container runs, with a warning', async () => {
    const name = bed.name();
    const { code, stdout, stderr } = await bed.cli(
      ['run', '-d', '--wait', '--name', name, ...CHECKED, await bed.image(), 'sleep', '600'],
      { timeoutMs: 20_000 },
    );
    expect([code, stdout, stderr]).toEqual([
      1,
      expect.stringMatching(/^[0-9a-f]{64}\n$/),
      expect.stringContaining('healthctl: no monitor checks this container\n'),
    ]);
    expect(await bed.ok(['inspect', '--format', '{{.State.Status}}', name])).toBe('running');
  });

  test('without a check, return when it runs', async () => {
    const { name } = await run(['--wait', '--wait-timeout', '20']);
    expect(await bed.ok(['start', '--wait', name])).toBe(name);
  });

  test.each([
    [['run', '--wait', 'x'], '--wait needs --detach'],
    [['run', '-d', '--wait-timeout', '1', 'x'], '--wait-timeout needs --wait'],
    [['start', '--wait', '-a', 'x'], '--wait conflicts with --attach and --interactive'],
    [['start', '--wait', '--wait-timeout', '-1', 'x'], 'must not be negative'],
  ])('refuses %j', async (args, text) => {
    const result = await bed.cli(args);
    expect(result.code).toBe(125);
    expect(result.stderr).toContain(text);
  });
});

describe('an end that a restart follows', () => {
  let monitored: Bed;
  let image: string;
  beforeAll(async () => {
    monitored = await openBed(['autostart = true']);
    image = await monitored.image();
  });
  afterAll(() => monitored[Symbol.asyncDispose]());

  /** Healthy from its second run on. */
  const secondRun = (first: string) => [
    'sh',
    '-c',
    `test -e /ran && touch /well; touch /ran; test -e /well || ${first}; sleep 600`,
  ];
  const check = ['--health-cmd', 'test -e /well', '--health-interval', '200ms', '--stop-timeout', '0'];

  test('by its restart policy', async () => {
    const flags = [...check, '--health-retries', '100', '--restart', 'on-failure'];
    await monitored.ok(['run', '-d', '--wait', '--name', 'policy', ...flags, image, ...secondRun('exit 3')]);
    expect(await monitored.ok(['inspect', '--format', '{{.State.Health.Status}} {{.RestartCount}}', 'policy'])).toBe(
      'healthy 1',
    );
  });

  test('until the policy is exhausted, or a user stops it', async () => {
    const flags = ['--health-cmd', 'true', '--health-interval', '1h'];
    const once = [...flags, '--restart', 'on-failure:1', '--name', 'once'];
    const { code, stderr } = await monitored.cli(['run', '-d', '--wait', ...once, image, 'sh', '-c', 'exit 3']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('container once exited (3) before it was healthy\n')]);
    expect(await monitored.ok(['inspect', '--format', '{{.RestartCount}}', 'once'])).toBe('1');

    await monitored.ok(['run', '-d', ...flags, '--restart', 'always', '--name', 'stopped', image, 'sleep', '600']);
    const waiting = monitored.spawn(['wait', '--condition', 'healthy', 'stopped']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await monitored.ok(['stop', '-t', '0', 'stopped']);
    expect((await waiting.exited).stderr).toContain('container stopped exited (137) before it was healthy');
  });

  test('because healing restarts it', async () => {
    const flags = [...check, '--health-retries', '1', '--health-on-failure', 'restart'];
    const running = monitored.spawn(['run', '-d', '--wait', '--name', 'healed', ...flags, image, ...secondRun('true')]);
    await until(async () => (await monitored.cli(['inspect', 'healed'])).code === 0);
    const waiting = monitored.spawn(['wait', '--condition', 'healthy', 'healed']);
    const warning = /^WARNING: container healed (is unhealthy|exited \(\d+\)): waiting for its restart\n$/;
    expect(await running.exited).toMatchObject({ code: 0, stderr: expect.stringMatching(warning) });
    expect((await waiting.exited).code).toBe(0);
  });

  test('because a command restarts it', async () => {
    const flags = [...check, '--health-retries', '100'];
    await monitored.ok(['run', '-d', '--name', 'again', ...flags, image, ...secondRun('true')]);
    const waiting = monitored.spawn(['wait', '--condition', 'healthy', 'again']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await monitored.ok(['restart', 'again']);
    expect(await waiting.exited).toMatchObject({ code: 0, stderr: '' });
  });
});
