import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Had } from '../../testbed/debian-program.ts';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { peerProgram } from '../../testbed/nerdctl-program.ts';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import type { RunningProgram } from '../../testbed/program.ts';
import { type EngineBed, startEngine } from '../e2e/support/engine.ts';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';
import { type NetworkHost, openNetworkHost } from '../e2e/support/network-host.ts';

// Traefik finds its servers through Docker's API, by their labels, and sends requests only to those that are healthy.

let bed: Bed;
let host: NetworkHost;
let traefik: Had;
beforeAll(async () => {
  traefik = await peerProgram('traefik');
  bed = await openBed(['autostart = false', 'network = "bridge"']);
  host = await openNetworkHost(bed);
  const archive = join(bed.directory, 'page.tar');
  const config = {
    Cmd: ['sh', '-c', 'hostname >/www/index.html; exec httpd -f -p 80 -h /www'],
    ExposedPorts: { '80/tcp': {} },
  };
  writeFileSync(archive, await dockerArchive({ name: 'page:1', config, files: { 'www/there': 'yes\n' } }));
  await bed.ok(['load', '--quiet', '--input', archive]);
}, 1_300_000);
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

function startTraefik(program: string, socket: string): RunningProgram {
  const options = {
    'providers.docker.endpoint': `unix://${socket}`,
    'providers.providersthrottleduration': '50ms',
    'entrypoints.web.address': '127.0.0.1:8080',
    'log.level': 'DEBUG',
    'global.checknewversion': 'false',
    'global.sendanonymoususage': 'false',
  };
  return host.start(program, ...Object.entries(options).map(([name, value]) => `--${name}=${value}`));
}

const GET = `
const wanted = { port: 8080, headers: { Host: 'page.test' }, timeout: 2_000 };
require('node:http').get(wanted, (answer) => answer.statusCode === 200 && answer.pipe(process.stdout))
  .on('timeout', () => process.exit(0));
`;
/** What the page says, by way of Traefik; empty while there is no healthy server, or while one is going. */
const page = async (): Promise<string> => (await host.run(process.execPath, '-e', GET)).trim();
const becomes = (wanted: string) =>
  until(async () => (await page()) === wanted, { withinMs: 15_000, everyMs: 100, what: `the page "${wanted}"` });

async function runPage(engine: EngineBed, name: string): Promise<void> {
  const body = {
    ...{ Image: 'page:1', Hostname: name },
    Labels: {
      'traefik.http.routers.page.rule': 'Host(`page.test`)',
      'traefik.http.services.page.loadbalancer.server.port': '80',
    },
    Healthcheck: { Test: ['CMD', 'test', '-e', '/tmp/good'], Interval: 200e6, Retries: 1 },
    HostConfig: { NetworkMode: 'web' },
  };
  expect((await engine.ask('POST', `/containers/create?name=${name}`, body)).status).toBe(201);
  expect((await engine.ask('POST', `/containers/${name}/start`)).status).toBe(204);
}

test('Traefik sends requests to healthy containers only', async (context) => {
  if ('missing' in traefik) return context.skip(`${NOT_JUDGED}: ${traefik.missing}`);
  const engine = await startEngine(bed, [], (args) => host.spawnWithCgroups(...args));
  expect((await engine.ask('POST', '/networks/create', { Name: 'web' })).status).toBe(201);
  const running = startTraefik(traefik.path, engine.socket);
  const [good, bad] = [
    ['touch', '/tmp/good'],
    ['rm', '/tmp/good'],
  ] as const;
  const has = (text: string) => until(() => running.stdout().includes(text), { withinMs: 30_000, what: text });

  await runPage(engine, 'one');
  await has('Filtering unhealthy or starting container');
  expect(await page()).toBe('');
  await bed.ok(['exec', 'one', ...good]);
  await becomes('one');
  await bed.ok(['exec', 'one', ...bad]);
  await becomes('');

  await runPage(engine, 'two');
  await bed.ok(['exec', 'two', ...good]);
  await becomes('two');
  await bed.ok(['exec', 'one', ...good]);
  await becomes('one');
  await becomes('two');
  await bed.ok(['exec', 'two', ...bad]);
  await has('health_status: unhealthy');
  await until(async () => (await page()) === 'one' && (await page()) === 'one', { withinMs: 15_000 });
  for (let n = 0; n < 10; n += 1) expect(await page()).toBe('one');

  expect((await engine.ask('POST', '/containers/one/stop?t=0')).status).toBe(204);
  await becomes('');
  await bed.ok(['exec', 'two', ...good]);
  await becomes('two');
  await bed.ok(['rm', '-f', 'two']);
  await becomes('');
});
