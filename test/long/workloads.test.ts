import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STACK_IMAGE, STACK_PACKAGES } from '../../scripts/demo/stack.ts';
import { debianArchive } from '../../testbed/debian-root.ts';
import { type Bed, openBed, until } from '../e2e/support/harness.ts';

// Real servers from Debian's packages with each kind of probe: healthy, broken as in practice, and healthy again.

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
  await bed.ok(['load', '-q', '-i', await debianArchive(STACK_PACKAGES, STACK_IMAGE)], { timeoutMs: 300_000 });
  await bed.ok(['daemon', 'start']);
}, 900_000);
afterAll(async () => {
  await bed?.[Symbol.asyncDispose]();
}, 60_000);

interface Workload {
  readonly options?: readonly string[];
  readonly command: readonly string[];
  readonly breakIt: (name: string) => Promise<unknown>;
  readonly mendIt: (name: string) => Promise<unknown>;
}

const exec = (name: string, ...command: string[]) => bed.ok(['exec', name, ...command]);
const signal = (name: string, which: string) => bed.ok(['kill', '--signal', which, name]);

const NGINX: Workload = {
  command: ['nginx', '-g', 'daemon off;'],
  breakIt: (name) => exec(name, 'mv', '/var/www/html', '/var/www/away'),
  mendIt: (name) => exec(name, 'mv', '/var/www/away', '/var/www/html'),
};
const REDIS: Workload = {
  command: ['redis-server', '--save', '', '--unixsocket', '/tmp/redis.sock'],
  breakIt: (name) => exec(name, 'redis-cli', '-s', '/tmp/redis.sock', 'config', 'set', 'port', '0'),
  mendIt: (name) => exec(name, 'redis-cli', '-s', '/tmp/redis.sock', 'config', 'set', 'port', '6379'),
};
/** It hangs, but the kernel still accepts connections for it. */
const HANGING_REDIS: Workload = {
  ...REDIS,
  breakIt: (name) => signal(name, 'STOP'),
  mendIt: (name) => signal(name, 'CONT'),
};
const POSTGRES: Workload = {
  options: ['--user', 'postgres', '--tmpfs', '/run/postgresql:mode=1777'],
  command: [
    '/usr/lib/postgresql/15/bin/postgres',
    ...['-D', '/var/lib/postgresql/15/main', '-c', 'config_file=/etc/postgresql/15/main/postgresql.conf'],
  ],
  breakIt: (name) => signal(name, 'STOP'),
  mendIt: (name) => signal(name, 'CONT'),
};

const shell = (command: string, how: 'fresh' | 'resident') => ['--health-cmd', command, '--health-exec', how];

describe.concurrent('is found healthy, unhealthy and healthy again:', () => {
  test.each<[string, Workload, readonly string[]]>([
    ['nginx, by curl', NGINX, shell('curl -fsS http://127.0.0.1/', 'fresh')],
    ['nginx, by curl in a resident shell', NGINX, shell('curl -fsS http://127.0.0.1/', 'resident')],
    ['nginx, by HTTP', NGINX, ['--health-http', 'http://localhost/']],
    ['redis, by its client', HANGING_REDIS, shell('redis-cli ping | grep PONG', 'fresh')],
    ['redis, by its client in a resident shell', HANGING_REDIS, shell('redis-cli ping | grep PONG', 'resident')],
    ['redis, by TCP', REDIS, ['--health-tcp', '127.0.0.1:6379']],
    ['postgres, by its client', POSTGRES, shell('pg_isready -h /var/run/postgresql', 'fresh')],
    ['postgres, by its client in a resident shell', POSTGRES, shell('pg_isready -h /var/run/postgresql', 'resident')],
    ['postgres, by its client without a shell', POSTGRES, ['--health-cmd', '["pg_isready","-q","-h","localhost"]']],
  ])('%s', async (_, workload, check) => {
    const name = bed.name('w');
    const timing = ['--health-interval', '500ms', '--health-timeout', '2s', '--health-retries', '2'];
    const grace = ['--health-start-period', '30s', '--health-start-interval', '500ms'];
    const { options = [], command } = workload;
    await bed.ok(['run', '-d', '--name', name, ...timing, ...grace, ...check, ...options, STACK_IMAGE, ...command]);
    await becomes(name, 'healthy');
    await workload.breakIt(name);
    await becomes(name, 'unhealthy');
    await workload.mendIt(name);
    await becomes(name, 'healthy');
    await bed.ok(['rm', '-f', name]);
  });
});

async function becomes(name: string, status: string): Promise<void> {
  const health = () => bed.ok(['inspect', '--format', '{{.State.Status}} {{json .State.Health}}', name]);
  await until(async () => (await health()).includes(`{"Status":"${status}"`), {
    withinMs: 60_000,
    everyMs: 250,
    what: `${name} to be ${status}`,
  }).catch(async (error: Error) => {
    throw new Error(`${error.message}: ${await health()}`);
  });
  expect(await bed.ok(['ps', '--format', '{{.Status}}', '--filter', `name=${name}`])).toContain(`(${status})`);
}
