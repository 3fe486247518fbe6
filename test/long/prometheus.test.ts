import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { dashboardQueries } from '../../testbed/dashboard.ts';
import { freePort } from '../../testbed/free-port.ts';
import { needProgram } from '../../testbed/needed-program.ts';
import { SELF_SIGNED } from '../../testbed/self-signed.ts';
import { openBed, until } from '../e2e/support/harness.ts';

// A real Prometheus (Debian: prometheus) scrapes a real monitor, over TLS with a token.

/** The table of queries in docs/metrics.md. */
const documentedQueries = [
  ...readFileSync(fileURLToPath(new URL('../../docs/metrics.md', import.meta.url)), 'utf8').matchAll(
    /^\| [^|`]+ \| `([^`]+)` \|$/gm,
  ),
].map(([, query = '']) => query);

interface Answer {
  readonly status: string;
  readonly data: {
    readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: [number, string] }[];
  };
}

async function startPrometheus(directory: string, target: string) {
  mkdirSync(directory);
  const port = await freePort();
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      {
        ...{ job_name: 'healthctl', scheme: 'https', static_configs: [{ targets: [target] }] },
        tls_config: { ca_file: join(directory, '../cert.pem'), server_name: 'localhost' },
        authorization: { credentials_file: join(directory, '../token') },
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
  const flags = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn('prometheus', flags, { cwd: directory, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    query: async (query: string): Promise<Answer> => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
      return (await response.json()) as Answer;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

test('scrapes a monitor over TLS with a token, and answers the queries of the dashboard', async (context) => {
  needProgram(context, 'prometheus');
  expect(documentedQueries.length).toBeGreaterThan(5);
  const port = await freePort();
  const base = `127.0.0.1:${port}`;
  await using bed = await openBed(['autostart = false']);
  const file = (name: string, text: string): string => {
    writeFileSync(join(bed.directory, name), text);
    return join(bed.directory, name);
  };
  const settings = [
    ...[
      'autostart = false',
      'network = "none"',
      `watch_namespaces = ["${bed.namespace}"]`,
      '[metrics]',
      `listen = "${base}"`,
    ],
    `tls_cert = "${file('cert.pem', SELF_SIGNED.cert)}"`,
    `tls_key = "${file('key.pem', SELF_SIGNED.key)}"`,
    `token_file = "${file('token', 'a-secret\n')}"`,
  ];
  const HEALTHCTL_TOML = file('metrics.toml', `${settings.join('\n')}\n`);
  const monitor = bed.spawn(['daemon', 'run'], { env: { HEALTHCTL_TOML } });
  await until(async () => (await bed.cli(['daemon', 'status'])).code === 0, { withinMs: 15_000 });
  const image = await bed.image();
  const run = (name: string, command: string) =>
    bed.ok(['run', '-d', '--name', name, '--health-cmd', command, '--health-interval', '500ms', image, 'sleep', '600']);
  await Promise.all([run('good', 'true'), run('bad', 'false')]);
  {
    await using prometheus = await startPrometheus(join(bed.directory, 'prometheus'), base);
    const valuesOf = async (query: string) =>
      (await prometheus.query(query)).data.result.map(({ metric, value }) => [metric.container, value[1]]);
    const unhealthy = `healthctl_container_health_status{status="unhealthy",namespace="${bed.namespace}"} == 1`;
    await until(async () => (await valuesOf(unhealthy)).length === 1, { withinMs: 60_000, everyMs: 500 });
    expect(await valuesOf(unhealthy)).toEqual([['bad', '1']]);
    expect(await valuesOf('up{job="healthctl"}')).toEqual([[undefined, '1']]);
    const rate = 'rate(healthctl_container_checks_total{container="good",outcome="success"}[20s])';
    await until(async () => Number((await valuesOf(rate))[0]?.[1]) > 1, { withinMs: 60_000, everyMs: 500 });
    for (const query of [...dashboardQueries, ...documentedQueries])
      expect([query, (await prometheus.query(query)).status]).toEqual([query, 'success']);
    const isEmpty = async (query: string) => (await prometheus.query(query)).data.result.length === 0;
    const empty = [];
    for (const query of dashboardQueries) if (await isEmpty(query)) empty.push(query);
    // No container was out of memory, there is no history, and no call failed.
    expect(empty.filter((query) => !/oom_kills|history_bytes|containerd_errors/.test(query))).toEqual([]);
    await bed.ok(['rm', '-f', 'bad']);
    await until(async () => (await valuesOf('healthctl_container_info{container="bad"}')).length === 0, {
      withinMs: 60_000,
    });
  }
  monitor.kill('SIGTERM');
  expect((await monitor.exited).code).toBe(0);
});
