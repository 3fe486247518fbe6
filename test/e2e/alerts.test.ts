import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mustRun, type RunningProgram, startProgram } from '../../testbed/program.ts';
import { type Bed, openBed, until } from './support/harness.ts';

interface Got {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly document: { readonly [key: string]: unknown };
}

const ALERTMANAGER = '/usr/bin/prometheus-alertmanager';
const SECRET = 'a-secret-that-nobody-sees';
let bed: Bed;
let image: string;
let server: Server;
let managerPort: number;
const got: Got[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { url: path = '', headers } = request;
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      got.push({ path, headers, document: JSON.parse(text) as Got['document'] });
      if (path !== '/hang') response.end();
    });
  });
  const port = await listenOn(server);
  managerPort = await freePort();
  bed = await openBed([
    'autostart = true',
    ...[
      '[[hook]]',
      `url = "http://127.0.0.1:${port}/${SECRET}"`,
      'min_interval = "0s"',
      'secret_file = "/nonexistent"',
    ],
    ...['[[hook]]', `url = "http://127.0.0.1:${port}/json"`, 'min_interval = "0s"'],
    ...['[[hook]]', `url = "http://127.0.0.1:${port}/slack"`, 'format = "slack"'],
    ...['[[hook]]', `url = "http://127.0.0.1:${port}/hang"`, 'timeout = "1m"'],
    ...['[[hook]]', `url = "http://127.0.0.1:${managerPort}"`, 'format = "alertmanager"', 'min_interval = "0s"'],
    'labels = { team = "web" }',
  ]);
  image = await bed.image();
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const listenOn = async (listener: Server | ReturnType<typeof createTcpServer>): Promise<number> => {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return (listener.address() as AddressInfo).port;
};
async function freePort(): Promise<number> {
  const listener = createTcpServer();
  const port = await listenOn(listener);
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

const eventsOf = (id: string, path = '/json'): readonly unknown[] =>
  got.filter((one) => one.path === path && one.document.id === id).map(({ document }) => document.event);

/** A container that is unhealthy while /dev/shm/broken exists. */
async function runBreakable(name: string): Promise<string> {
  const check = 'test ! -e /dev/shm/broken || { echo it broke; exit 4; }';
  const timing = ['--health-interval', '300ms', '--health-retries', '1', '--stop-timeout', '0'];
  const id = await bed.ok(['run', '-d', '--name', name, '--health-cmd', check, ...timing, image, 'sleep', '600']);
  await until(() => eventsOf(id).includes('healthy'), { withinMs: 20_000 });
  return id;
}

test('servers get health changes, restarts and ends, and none delays another', async () => {
  const name = bed.name('web');
  const id = await runBreakable(name);
  await bed.ok(['exec', name, 'touch', '/dev/shm/broken']);
  await until(() => eventsOf(id).includes('unhealthy'), { withinMs: 20_000 });
  await bed.ok(['exec', name, 'rm', '/dev/shm/broken']);
  await until(() => eventsOf(id).length === 3, { withinMs: 20_000 });
  expect(eventsOf(id)).toEqual(['healthy', 'unhealthy', 'healthy']);
  const [, bad, good] = got.filter(({ path, document }) => path === '/json' && document.id === id);
  const common = { namespace: bed.namespace, id, name, image, time: expect.stringMatching(/^\d{4}-.*Z$/) };
  const host = (await mustRun(['hostname'], { env: bed.env })).trim();
  expect(bad?.document).toEqual({
    ...{ event: 'unhealthy', ...common, host, failingStreak: 1, exitCode: 4, output: 'it broke\n' },
  });
  expect(good?.document).toMatchObject({ event: 'healthy', ...common, unhealthySince: bad?.document.time });
  expect(bad?.headers).toMatchObject({
    'content-type': 'application/json',
    'webhook-id': expect.stringMatching(/^msg_/),
  });
  const [message] = got.filter(({ path }) => path === '/slack');
  expect(message?.document).toMatchObject({ text: `${name} on ${host} is unhealthy` });
  expect(got.filter(({ path }) => path === '/hang')).toHaveLength(1);
  expect(got.filter(({ path }) => path.includes(SECRET))).toEqual([]);
  const log = await bed.ok(['daemon', 'logs']);
  expect(log).toMatch(
    /hook 1 \(http:\/\/127\.0\.0\.1:\d+\) for healthy of container .* failed; retrying in 1 s: secret_file/,
  );
  for (const shown of [log, await bed.ok(['info']), await bed.ok(['daemon', 'status', '--format', 'json'])])
    expect(shown).not.toContain(SECRET);
  await bed.ok(['exec', name, 'touch', '/dev/shm/broken']);
  await until(() => eventsOf(id).length === 4, { withinMs: 20_000 });
  await bed.ok(['rm', '-f', name]);
  await until(() => eventsOf(id).length === 5, { withinMs: 20_000 });
  expect(got.filter(({ path, document }) => path === '/json' && document.id === id).at(-1)?.document).toMatchObject({
    ...{ event: 'gone', name, reason: 'it was removed' },
  });
});

test('a monitor resolves the alerts of the previous one', async () => {
  const names = [bed.name('mended'), bed.name('removed')];
  const ids = await Promise.all(names.map(runBreakable));
  for (const name of names) await bed.ok(['exec', name, 'touch', '/dev/shm/broken']);
  await until(() => ids.every((id) => eventsOf(id).at(-1) === 'unhealthy'), { withinMs: 20_000 });
  const stoppedMs = performance.now();
  await bed.ok(['daemon', 'stop']);
  expect(performance.now() - stoppedMs).toBeLessThan(30_000); // another server hangs
  const file = alertsFile();
  expect(Object.values(file.hooks).flat()).toEqual(
    expect.arrayContaining(ids.map((id) => expect.objectContaining({ id }))),
  );
  const [mended = '', removed = ''] = names;
  const quiet = { env: { HEALTHCTL_TOML: quietConfig() } };
  await bed.ok(['exec', mended, 'rm', '/dev/shm/broken'], quiet);
  await bed.ok(['rm', '-f', removed], quiet);
  expect(ids.map((id) => eventsOf(id).at(-1))).toEqual(['unhealthy', 'unhealthy']);
  await bed.ok(['daemon', 'start']);
  await until(() => eventsOf(ids[0] ?? '').at(-1) === 'healthy' && eventsOf(ids[1] ?? '').at(-1) === 'gone', {
    withinMs: 20_000,
  });
  expect(ids.map((id) => eventsOf(id).slice(1))).toEqual([
    ['unhealthy', 'healthy'],
    ['unhealthy', 'gone'],
  ]);
  await bed.ok(['rm', '-f', mended]);
});

test('a container that is unhealthy when the monitor starts: its alert has the stored output', async () => {
  const name = bed.name('found');
  const id = await runBreakable(name);
  await bed.ok(['daemon', 'stop']);
  const quiet = { env: { HEALTHCTL_TOML: quietConfig() } };
  await bed.ok(['exec', name, 'touch', '/dev/shm/broken'], quiet);
  await bed.cli(['healthcheck', name], quiet);
  expect(eventsOf(id)).toEqual(['healthy']);
  await bed.ok(['daemon', 'start']);
  await until(() => eventsOf(id).includes('unhealthy'), { withinMs: 20_000 });
  const [, found] = got.filter(({ path, document }) => path === '/json' && document.id === id);
  expect(found?.document).toMatchObject({ event: 'unhealthy', exitCode: 4, output: 'it broke\n' });
  await bed.ok(['rm', '-f', name]);
});

describe('Alertmanager', () => {
  let manager: RunningProgram | undefined;
  afterAll(async () => {
    manager?.kill('SIGTERM');
    await manager?.exited;
  });

  test('shows a firing alert, and that it is resolved', async (context) => {
    if (!existsSync(ALERTMANAGER)) context.skip(`there is no ${ALERTMANAGER}: apt-get install prometheus-alertmanager`);
    const directory = join(bed.directory, 'alertmanager');
    mkdirSync(directory);
    writeFileSync(join(directory, 'config.yml'), 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
    const options = [
      ...[`--config.file=${join(directory, 'config.yml')}`, `--storage.path=${join(directory, 'data')}`],
      ...[`--web.listen-address=127.0.0.1:${managerPort}`, '--cluster.listen-address='],
    ];
    manager = startProgram([ALERTMANAGER, ...options], { env: bed.env });
    const api = `http://127.0.0.1:${managerPort}/api/v2/alerts`;
    type Alert = {
      labels: Record<string, string>;
      annotations: Record<string, string>;
      status: { state: string };
      endsAt: string;
    };
    const alerts = async (name: string): Promise<readonly Alert[]> => {
      const all = (await (await fetch(api)).json()) as readonly Alert[];
      return all.filter(({ labels }) => labels.container === name);
    };
    await until(async () => (await fetch(api)).ok, { withinMs: 20_000 });
    const name = bed.name('managed');
    const id = await runBreakable(name);
    await bed.ok(['exec', name, 'touch', '/dev/shm/broken']);
    const [firing] = await until(async () => ((await alerts(name)).length === 1 ? alerts(name) : undefined), {
      withinMs: 90_000,
    });
    expect(firing).toMatchObject({
      labels: { alertname: 'ContainerUnhealthy', severity: 'critical', container: name, container_id: id, team: 'web' },
      annotations: { description: '1 failure, exit code 4\nit broke' },
      status: { state: 'active' },
    });
    expect(Date.parse(firing?.endsAt ?? '') - Date.now()).toBeGreaterThan(120_000);
    if (existsSync('/usr/bin/amtool')) {
      const shown = await mustRun(['/usr/bin/amtool', 'alert', `--alertmanager.url=http://127.0.0.1:${managerPort}`], {
        env: bed.env,
      });
      expect(shown).toMatch(new RegExp(`ContainerUnhealthy.*${name} on .* is unhealthy`));
    }
    await bed.ok(['exec', name, 'rm', '/dev/shm/broken']);
    // its API does not show resolved ones
    await until(async () => (await alerts(name)).length === 0, { withinMs: 90_000 });
    await bed.ok(['rm', '-f', name]);
  });
});

function alertsFile(): { readonly hooks: Readonly<Record<string, readonly { readonly id: string }[]>> } {
  const [hash = ''] = readdirSync(bed.dataRoot).filter((name) => /^[0-9a-f]{8}$/.test(name));
  return JSON.parse(readFileSync(join(bed.dataRoot, hash, 'alerts.json'), 'utf8'));
}

/** A configuration with which commands start no monitor. */
function quietConfig(): string {
  const path = join(bed.directory, 'quiet.toml');
  writeFileSync(
    path,
    readFileSync(bed.env.HEALTHCTL_TOML ?? '', 'utf8').replace('autostart = true', 'autostart = false'),
  );
  return path;
}
