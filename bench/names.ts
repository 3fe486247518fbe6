// Names on a network, beside a real Docker in one run: lookups of a service at 127.0.0.11 at a steady rate, and the start of one
// more service on a network with many. In a network namespace of its own. Needs what bench/docker.ts needs, and iproute2.
//   node --import tsx bench/names.ts --docker-root DIR [--seconds 10] [--rate 1000] [--services 50] [--rounds 15]
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Attachment } from '../src/network/attachment.ts';
import { renewHosts } from '../src/network/renew-hosts.ts';
import { listProcesses } from '../testbed/processes.ts';
import { type Served, withBothSockets } from './docker/both-sockets.ts';
import * as measures from './docker/measures.ts';
import { type Report, ratio } from './docker/report.ts';
import { inTurn, type Side, type Sides } from './docker/side.ts';
import { quantile, spread } from './docker/table.ts';

const { values } = parseArgs({
  options: {
    'docker-root': { type: 'string', default: process.env.HEALTHCTL_DOCKER_ROOT ?? '' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '1000' },
    services: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '15' },
    inside: { type: 'boolean', default: false },
  },
});
const root = resolve(values['docker-root']);
const [services, rounds] = [Number(values.services), Number(values.rounds)];

if (values.inside) await measure();
else {
  const self = [process.execPath, '--import', 'tsx', ...process.argv.slice(1), '--inside'];
  const inside = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...self];
  process.exitCode = spawnSync('unshare', ['--net', ...inside], { stdio: 'inherit' }).status ?? 1;
}

async function measure(): Promise<void> {
  await withBothSockets(root, { hasNetworks: true }, async (both, report, directory) => {
    const sides = [both.healthctl, both.docker];
    for (const side of sides) measures.must(side, 'network', 'create', 'app');
    await compareLookups(both, report);
    await compareStarts(both, report);
    report.note(`\nhosts files of ${services} services: ${msOfHosts(directory)} ms to renew all of them`);
    for (const side of sides) measures.removeAll(side);
  });
}

function run(side: Side, name: string, network: string, ...flags: readonly string[]): void {
  measures.must(
    side,
    ...['run', '-d', '--name', name, '--network', network, ...flags, measures.IMAGE, 'sleep', '3600'],
  );
}

async function compareLookups(both: Sides<Served>, report: Report): Promise<void> {
  for (const side of [both.healthctl, both.docker])
    for (const name of ['client', 'web-1', 'web-2', 'web-3'])
      run(side, name, 'app', '--network-alias', name.replace(/-.*/, ''));
  const seen = await inTurn(both, 3, async (side) => lookups(side));
  for (const [part, what] of [
    [0.5, 'p50'],
    [0.99, 'p99'],
  ] as const) {
    const [ours, theirs] = [seen.healthctl, seen.docker].map((all) => all.map((times) => quantile(times, part)));
    const [mine, other] = [quantile(ours ?? [], 0.5), quantile(theirs ?? [], 0.5)];
    const texts = { healthctl: spread(ours ?? [], 2), docker: spread(theirs ?? [], 2) };
    report.add({ what: `a lookup, ${values.rate} a second, ${what} ms`, ...texts, ...ratio(mine / other, 1) });
  }
  const answered = [seen.healthctl, seen.docker].map((all) => all.map((times) => times.length).join(', '));
  report.note(`answered: healthctl ${answered[0]}; Docker ${answered[1]}`);
}

/** Milliseconds of each, by the client of bench/dns.ts in the network of a container. */
function lookups(side: Side): readonly number[] {
  const pid = measures.must(side, 'inspect', '-f', '{{.State.Pid}}', 'client').trim();
  const client = [process.execPath, '--import', 'tsx', fileURLToPath(new URL('dns.ts', import.meta.url)), '--client'];
  const flags = ['--seconds', values.seconds, '--rate', values.rate, '--at-once', '0'];
  const host = hostPidOf(side, Number(pid));
  const out = execFileSync('nsenter', [`--net=/proc/${host}/ns/net`, ...client, ...flags], { encoding: 'utf8' });
  return JSON.parse(out).paced;
}

/** dockerd has a namespace of processes of its own, in which it tells pids. */
function hostPidOf({ name }: Side, pid: number): number {
  if (name === 'healthctl') return pid;
  for (const one of listProcesses().filter((process) => process.name === 'sleep')) {
    const [, inner, ...rest] = (/^NSpid:\s+(.*)$/m.exec(statusOf(one.pid))?.[1] ?? '').split(/\s+/);
    if (inner === `${pid}` && rest.length > 0) return one.pid;
  }
  throw new Error(`no process ${pid} of dockerd`);
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

async function compareStarts(both: Sides<Served>, report: Report): Promise<void> {
  for (const side of [both.healthctl, both.docker]) {
    measures.must(side, 'network', 'create', 'full');
    for (let index = 1; index <= services; index += 1) run(side, `service-${index}`, 'full');
  }
  const starts = async (side: Served) => ({ app: await msOfStart(side, 'app'), full: await msOfStart(side, 'full') });
  const seen = await inTurn(both, rounds, (side) => starts(side as Served));
  const of = (network: 'app' | 'full') => ({
    healthctl: seen.healthctl.map((one) => one[network]),
    docker: seen.docker.map((one) => one[network]),
  });
  const [few, full] = [of('app'), of('full')];
  for (const [title, { healthctl, docker }] of [
    ['4', few],
    [`${services}`, full],
  ] as const)
    report.add({
      ...{ what: `POST start on a network with ${title} others`, healthctl: spread(healthctl), docker: spread(docker) },
      ...ratio(quantile(healthctl, 0.5) / quantile(docker, 0.5), 1),
    });
  const more = ({ app, full: all }: { readonly app: number; readonly full: number }) => all - app;
  const own = quantile(seen.healthctl.map(more), 0.5);
  report.add({
    what: `of that for the ${services} others`,
    ...{ healthctl: own.toFixed(1), docker: quantile(seen.docker.map(more), 0.5).toFixed(1) },
    ...{ figure: `${own.toFixed(1)} ms`, target: '100 ms', reached: own < 100 },
  });
}

/** The start of a service that is there already, through the socket. */
async function msOfStart(side: Served, network: string): Promise<number> {
  measures.must(side, 'create', '--name', 'one-more', '--network', network, measures.IMAGE, 'sleep', '3600');
  const startMs = performance.now();
  await new Promise<void>((done, reject) => {
    request({ socketPath: side.socket, path: '/containers/one-more/start', method: 'POST' }, (answer) =>
      answer.resume().once('end', done),
    )
      .once('error', reject)
      .end();
  });
  const tookMs = performance.now() - startMs;
  measures.must(side, 'rm', '-f', 'one-more');
  return tookMs;
}

/** The part of a start that writes the names into the files of all. */
function msOfHosts(directory: string): string {
  const hosts = mkdtempSync(join(directory, 'hosts-'));
  const attachments = Array.from({ length: services + 1 }, (_, index) => attachmentOf(hosts, index));
  const log = { debug: console.error, warn: console.error };
  for (const { hostsPath } of attachments) writeFileSync(hostsPath, '127.0.0.1\tlocalhost\n');
  renewHosts({ log }, attachments.slice(1), { networks: ['app'] });
  const startMs = performance.now();
  renewHosts({ log }, attachments, { networks: ['app'] });
  return (performance.now() - startMs).toFixed(1);
}

function attachmentOf(directory: string, index: number): Attachment {
  const id = `${index}`.padStart(64, 'a');
  const names = [`service-${index}`, id.slice(0, 12), `alias-${index}`];
  const endpoint = { address: `10.0.${index >> 8}.${index & 255}`, prefix: 16, gateway: '10.0.0.1', mac: '' };
  const member = { network: 'app', networkId: 'n', interfaceName: 'eth0', plugins: [], names, links: [], sysctls: [] };
  return {
    ...{ namespace: 'bench', id, name: `service-${index}`, hostname: id.slice(0, 12), ports: [], extraHosts: [] },
    holder: { bootId: '', pid: 0, startTimeTicks: 0 },
    memberships: [{ ...member, gatewayPriority: 0, internal: false, hasIpv6: false, endpoint }],
    hostsPath: join(directory, id),
  };
}
