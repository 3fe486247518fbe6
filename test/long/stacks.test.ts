import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { composeProgram } from '../../testbed/debian-program.ts';
import { debianArchive } from '../../testbed/debian-root.ts';
import { NOT_JUDGED } from '../../testbed/not-judged.ts';
import { listProcesses } from '../../testbed/processes.ts';
import { type ComposeStack, openComposeStack, type StackContainer } from '../e2e/support/compose-stack.ts';
import { until } from '../e2e/support/harness.ts';

// Stacks as many have them, of Debian's packages, under Docker's compose: up in the order of health, a process killed, a
// service made sick, scaled, recreated by a changed setting, and down; then nothing of them is left.

let compose: Awaited<ReturnType<typeof composeProgram>>;
beforeAll(async () => {
  compose = await composeProgram();
});

interface StackFile {
  readonly project: string;
  /** The directory below `stacks`. */
  readonly name: string;
  readonly packages: string;
  readonly settings?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Plays with a stack that is up and healthy; `down` must then leave nothing. */
function testStack(title: string, file: StackFile, play: (stack: ComposeStack) => Promise<void>): void {
  test(title, async (context) => {
    if ('missing' in compose) return context.skip(`${NOT_JUDGED}: ${compose.missing}`);
    const archive = await debianArchive(file.packages, `stack/${file.name}:1`);
    await using stack = await openComposeStack({
      ...file,
      compose: compose.path,
      files: directoryOf(file.name),
      prepare: (bed) => bed.ok(['load', '-q', '-i', archive], { timeoutMs: 300_000 }),
    });
    // What the first container makes for all that follow.
    const first = ['--rm', '--network', 'bridge', '-p', '127.0.0.1:18999:80', '-v', '/data'];
    await stack.host.ok('run', ...first, `stack/${file.name}:1`, 'true');
    const before = await stack.remains();
    await stack.ok(['up', '-d', '--wait']);
    expect(stateOf(await stack.containers())).toEqual([]);
    await play(stack);
    await stack.ok(['down', '-v']);
    const isAsBefore = async () => JSON.stringify(await stack.remains()) === JSON.stringify(before);
    await until(isAsBefore, { withinMs: 15_000, everyMs: 500 }).catch(() => undefined);
    expect(await stack.remains()).toEqual(before);
  });
}

const directoryOf = (name: string): string => fileURLToPath(new URL(`stacks/${name}`, import.meta.url));

/** What is neither healthy nor a job that is done. */
const stateOf = (containers: ReadonlyMap<string, StackContainer>): readonly string[] =>
  [...containers]
    .filter(([, { status, health }]) => status !== 'exited' && health !== 'healthy')
    .map(([name, { status, health }]) => `${name}: ${status} ${health}`);

const isHealthy = ({ status, health }: StackContainer): boolean => status === 'running' && health === 'healthy';

/** Kills the first process of a container, as a fault of it would, and waits until it is healthy again. */
async function killed(stack: ComposeStack, name: string): Promise<StackContainer> {
  const { pid, restarts } = await stack.untilContainer(name, isHealthy, 'healthy');
  process.kill(pid, 'SIGKILL');
  return stack.untilContainer(name, (one) => isHealthy(one) && one.restarts > restarts && one.pid !== pid, 'restarted');
}

/** The containers whose id is another one than before. */
function changed(
  before: ReadonlyMap<string, StackContainer>,
  after: ReadonlyMap<string, StackContainer>,
  key: 'id' | 'startedAtMs' = 'id',
): readonly string[] {
  return [...after].filter(([name, one]) => before.get(name)?.[key] !== one[key]).map(([name]) => name);
}

/** Asks a server of the stack on a port of the host. */
const curl = (stack: ComposeStack, ...args: readonly string[]) =>
  stack.host.run('curl', '-sS', '--max-time', '10', ...args).then((text) => text.trimEnd());

const WEB = 'nginx-light,curl,redis-server,redis-tools,postgresql-15,gunicorn,python3-psycopg2,python3-redis';
const SHOP = 'http://127.0.0.1:8080';

describe('a web application', () => {
  testStack(
    'nginx, gunicorn, workers, postgres and redis',
    { project: 'shop', name: 'web', packages: WEB },
    async (stack) => {
      writeFileSync(join(stack.directory, '.env'), '');
      const post = (name: string) => curl(stack, '-X', 'POST', `${SHOP}/${name}`);
      const isDone = (...names: readonly string[]) =>
        until(async () => (await curl(stack, `${SHOP}/`)) === names.join(' '), {
          ...{ withinMs: 30_000, everyMs: 200, what: `${names} to be done` },
        });
      const servers = async (wanted: number) => {
        const seen = new Set<string>();
        await until(async () => seen.add(await curl(stack, `${SHOP}/who`)).size === wanted, { withinMs: 30_000 });
      };
      const first = await stack.containers();
      expect(orderOf(first, ['db-1', 'schema-1', 'app-1', 'proxy-1'])).toBe('db-1 schema-1 app-1 proxy-1');
      await post('a');
      await isDone('a');

      // nginx finds new replicas by 127.0.0.11, and forgets those that are gone.
      await stack.ok(['up', '-d', '--wait', '--scale', 'app=3', '--scale', 'worker=3']);
      await servers(3);
      await stack.ok(['up', '-d', '--wait', '--scale', 'app=1']);
      await until(async () => (await curl(stack, '-w', '%{http_code}', '-o', '/dev/null', `${SHOP}/who`)) === '200');
      expect(changed(first, await stack.containers())).toEqual([]);

      // The workers lose the database with its process; all are started again, and no job is lost.
      await killed(stack, 'db-1');
      await post('b');
      for (const name of ['worker-1', 'worker-2']) await stack.untilContainer(name, isHealthy, 'healthy');
      await isDone('a', 'b');
      await killed(stack, 'cache-1');
      await killed(stack, 'app-1');

      // An application that is sick is restarted; a hanging database stays as it is, and is healthy when it goes on.
      const { restarts } = await stack.untilContainer('app-1', isHealthy, 'healthy');
      await stack.ok(['exec', '-T', 'app', 'touch', '/tmp/sick']);
      await stack.untilContainer('app-1', (one) => isHealthy(one) && one.restarts === restarts + 1, 'healed');
      await stack.ok(['kill', '-s', 'STOP', 'cache']);
      await stack.untilContainer('cache-1', ({ health }) => health === 'unhealthy', 'unhealthy');
      await stack.ok(['kill', '-s', 'CONT', 'cache']);
      await stack.untilContainer('cache-1', isHealthy, 'healthy');
      await stack.untilContainer('app-1', isHealthy, 'healthy');

      // Another greeting makes another application, and restarts what depends on it, which compose 2.26 makes again; data
      // stay.
      const before = await stack.containers();
      expect(await curl(stack, `${SHOP}/greeting`)).toBe('hello');
      writeFileSync(join(stack.directory, '.env'), 'GREETING=welcome\n');
      await stack.ok(['up', '-d', '--wait']);
      const remade = changed(before, await stack.containers()).filter((name) => name !== 'proxy-1');
      expect(remade).toEqual(['app-1']);
      expect(changed(before, await stack.containers(), 'startedAtMs')).toEqual(['app-1', 'proxy-1', 'schema-1']);
      expect(await curl(stack, `${SHOP}/greeting`)).toBe('welcome');
      await stack.ok(['down']);
      await stack.ok(['up', '-d', '--wait']);
      await isDone('a', 'b');
    },
  );
});

function orderOf(containers: ReadonlyMap<string, StackContainer>, names: readonly string[]): string {
  const startOf = (name: string) => containers.get(name)?.startedAtMs ?? Number.NaN;
  return names.toSorted((a, b) => startOf(a) - startOf(b)).join(' ');
}

/** Of Prometheus' API: to a query, and to the question for its targets. */
interface Answer {
  readonly result: readonly unknown[];
  readonly activeTargets: readonly { readonly health: string }[];
}

describe('a monitoring stack', () => {
  testStack(
    'prometheus, its exporters and alertmanager see and heal each other',
    {
      ...{ project: 'watch', name: 'monitoring' },
      packages: 'prometheus,prometheus-node-exporter,prometheus-alertmanager,curl',
      settings: ['[metrics]', 'listen = "0.0.0.0:9180"', `token_file = "${directoryOf('monitoring')}/token"`],
    },
    async (stack) => {
      const ask = async (path: string, ...args: readonly string[]): Promise<Answer> =>
        JSON.parse(await curl(stack, '-G', `http://127.0.0.1:9090/api/v1/${path}`, ...args)).data;
      const count = async (query: string): Promise<number> =>
        (await ask('query', '--data-urlencode', `query=${query}`)).result.length;
      const counts = (query: string, wanted: number) =>
        until(async () => (await count(query)) === wanted, { withinMs: 60_000, what: `${wanted} of ${query}` });
      await counts('up{job="exporter"} == 1', 1);
      await counts('healthctl_container_health_status{status="healthy"} == 1', 3);

      await stack.ok(['up', '-d', '--wait', '--scale', 'exporter=4']);
      await counts('up{job="exporter"} == 1', 4);
      await counts('node_load1', 4);
      await counts('healthctl_container_health_status{status="healthy"} == 1', 6);

      // One hangs: healthctl finds it unhealthy, prometheus tells the alertmanager, and it stays as it is.
      const alerts = async () => JSON.parse(await curl(stack, 'http://127.0.0.1:9093/api/v2/alerts')).length;
      process.kill((await stack.untilContainer('exporter-2', isHealthy, 'healthy')).pid, 'SIGSTOP');
      await stack.untilContainer('exporter-2', ({ health }) => health === 'unhealthy', 'unhealthy');
      await until(async () => (await alerts()) === 1, { withinMs: 60_000, what: 'an alert' });
      process.kill((await stack.containers()).get('exporter-2')?.pid ?? 0, 'SIGCONT');
      await stack.untilContainer('exporter-2', isHealthy, 'healthy');
      await counts('ALERTS{alertstate="firing"}', 0);

      await killed(stack, 'exporter-1');
      await killed(stack, 'prometheus-1');
      // One that hangs does not end when it is asked to: it is killed, and started again.
      const { pid, restarts } = await stack.untilContainer('alertmanager-1', isHealthy, 'healthy');
      process.kill(pid, 'SIGSTOP');
      await stack.untilContainer('alertmanager-1', (one) => isHealthy(one) && one.restarts === restarts + 1, 'healed');

      const before = await stack.containers();
      await stack.ok(['up', '-d', '--wait', '--scale', 'exporter=2'], { RETENTION: '2d' });
      expect(changed(before, await stack.containers())).toEqual(['prometheus-1']);
      const targets = async () => (await ask('targets')).activeTargets.filter(({ health }) => health === 'up').length;
      await until(async () => (await targets()) === 3, { withinMs: 60_000, what: 'two exporters and healthctl' });
      // The series of before are in the volume.
      await counts('count_over_time(up{job="exporter"}[10m] offset 5s) > 0', 4);
    },
  );
});

describe('a message broker', () => {
  testStack(
    'rabbitmq with producers and consumers, which lose nothing',
    {
      ...{ project: 'post', name: 'broker', packages: 'rabbitmq-server,python3-pika' },
      environment: { BROKER_PASSWORD: 'a-password' },
    },
    async (stack) => {
      // The files are in volumes: their containers may be restarting.
      const volume = (name: string) => stack.host.ok('volume', 'inspect', '-f', '{{.Mountpoint}}', `post_${name}`);
      const [sentTo, receivedIn] = [await volume('sent'), await volume('received')];
      const sent = () => Number(readFileSync(join(sentTo, 'count'), 'utf8'));
      const received = (): ReadonlySet<number> =>
        new Set(
          readdirSync(receivedIn).flatMap((file) =>
            readFileSync(join(receivedIn, file), 'utf8').split('\n').map(Number),
          ),
        );
      /** Waits until messages come through that are sent from now on; all before them have come too. */
      const flows = async () => {
        const wanted = sent() + 20;
        const all = Array.from({ length: wanted }, (_, index) => index + 1);
        const isThere = () => {
          const numbers = received();
          return all.every((number) => numbers.has(number));
        };
        await until(isThere, { withinMs: 90_000, everyMs: 500, what: `${wanted} messages` });
      };
      await flows();
      await stack.ok(['up', '-d', '--wait', '--scale', 'consumer=4']);
      await flows();
      await killed(stack, 'consumer-2');
      await flows();

      await killed(stack, 'broker-1');
      await flows();
      await stack.untilContainer('producer-1', isHealthy, 'healthy');

      // The first process is a shell: it is its child that hangs.
      const { restarts, pid } = await stack.untilContainer('broker-1', isHealthy, 'healthy');
      const servers = listProcesses().filter(({ name, parent }) => name === 'beam.smp' && parent === pid);
      expect(servers).toHaveLength(1);
      process.kill(servers[0]?.pid ?? 0, 'SIGSTOP');
      await stack.untilContainer('broker-1', (one) => isHealthy(one) && one.restarts === restarts + 1, 'healed');
      await flows();

      await stack.ok(['up', '-d', '--wait', '--scale', 'consumer=1']);
      const before = await stack.containers();
      expect([...before.keys()]).toEqual(['broker-1', 'consumer-1', 'producer-1']);
      await stack.ok(['up', '-d', '--wait', '--scale', 'consumer=1'], { PREFETCH: '50' });
      expect(changed(before, await stack.containers())).toEqual(['consumer-1', 'producer-1']);
      await flows();
    },
  );
});
