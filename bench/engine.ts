// Compares Docker's API of healthctl with that of a real Docker, in turn in one run: the same runc, containerd, seccomp
// profile and docker command line, no network. Needs what bench/docker.ts needs.
//   node --import tsx bench/engine.ts --docker-root DIR [--rounds 15] [--containers 60] [--log-mb 200]
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Served, withBothSockets } from './docker/both-sockets.ts';
import * as measures from './docker/measures.ts';
import { type Report, ratio } from './docker/report.ts';
import { inTurn, type Sides } from './docker/side.ts';
import { quantile, spread } from './docker/table.ts';

const { values } = parseArgs({
  options: {
    'docker-root': { type: 'string', default: process.env.HEALTHCTL_DOCKER_ROOT ?? '' },
    rounds: { type: 'string', default: '15' },
    containers: { type: 'string', default: '60' },
    'log-mb': { type: 'string', default: '200' },
  },
});
const root = resolve(values['docker-root']);
const rounds = Number(values.rounds);
const PLACE = ['--network', 'none'];
/** Answers of one measurement. */
const LISTS = 20;
const ENDS_AT_ONCE = ['sh', '-c', 'trap exit TERM; sleep 3600 & wait'];

await withBothSockets(root, { hasNetworks: false }, async (sides, report) => {
  await compareLife(sides, report);
  await compareLists(sides, report);
  await compareLogs(sides, report, Number(values['log-mb']));
});

interface Comparison {
  readonly what: string;
  /** Times Docker's. */
  readonly limit: number;
  readonly both: Sides<Served>;
  readonly report: Report;
}

async function timed({ what, limit, both, report }: Comparison, work: (side: Served) => Promise<number>) {
  const seen = await inTurn(both, rounds, (side) => work(side as Served));
  const [mine, theirs] = [quantile(seen.healthctl, 0.5), quantile(seen.docker, 0.5)];
  report.add({ what, healthctl: spread(seen.healthctl), docker: spread(seen.docker), ...ratio(mine / theirs, limit) });
}

function wallOf(side: Served, ...args: readonly string[]): number {
  return measures.wallMsOf([...side.program, ...args], side.env);
}

async function compareLife(both: Sides<Served>, report: Report): Promise<void> {
  const flags = (side: Served) => [...PLACE, '--security-opt', `seccomp=${side.seccomp}`];
  let count = 0;
  await timed({ what: 'docker run -d', limit: 1.05, both, report }, async (side) => {
    count += 1;
    return wallOf(side, 'run', '-d', '--name', `r${count}`, ...flags(side), measures.IMAGE, ...ENDS_AT_ONCE);
  });
  for (const side of [both.healthctl, both.docker])
    measures.must(side, 'run', '-d', '--name', 'other', ...flags(side), measures.IMAGE, ...ENDS_AT_ONCE);
  await timed({ what: 'docker exec true', limit: 1.05, both, report }, async (side) =>
    wallOf(side, 'exec', 'other', 'true'),
  );
  await timed({ what: 'docker stop', limit: 1.05, both, report }, async (side) => {
    const [name = ''] = measures.must(side, 'ps', '--filter', 'name=^r', '--format', '{{.Names}}').trim().split('\n');
    return wallOf(side, 'stop', name);
  });
  for (const side of [both.healthctl, both.docker]) measures.removeAll(side);
}

async function compareLists(both: Sides<Served>, report: Report): Promise<void> {
  const containers = Number(values.containers);
  for (const side of [both.healthctl, both.docker]) await measures.runMany(side, { containers, flags: [] });
  await timed({ what: `docker ps of ${containers}`, limit: 1, both, report }, async (side) => wallOf(side, 'ps'));
  await timed({ what: `GET /containers/json of ${containers}, one connection`, limit: 1, both, report }, async (side) =>
    msOfList(side.socket),
  );
  for (const side of [both.healthctl, both.docker]) measures.removeAll(side);
}

/** Milliseconds for one answer, the mean of some on a connection that is kept. */
async function msOfList(socketPath: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () =>
    new Promise<void>((done, reject) => {
      request({ socketPath, path: '/containers/json', agent }, (answer) => answer.resume().once('end', done))
        .once('error', reject)
        .end();
    });
  await ask();
  const startMs = performance.now();
  for (let count = 0; count < LISTS; count += 1) await ask();
  const ms = (performance.now() - startMs) / LISTS;
  agent.destroy();
  return ms;
}

async function compareLogs(both: Sides<Served>, report: Report, megabytes: number): Promise<void> {
  const command = ['sh', '-c', `yes ${'x'.repeat(99)} | head -c ${megabytes}000000`];
  const took: number[] = [];
  for (const side of [both.healthctl, both.docker]) {
    const id = measures.must(side, 'run', '-d', ...PLACE, measures.IMAGE, ...command).trim();
    measures.must(side, 'wait', id);
    took.push(await msOfOutput([...side.program, 'logs', id], side.env, megabytes * 1e6));
    report.note(`  ${side.name}: ${residentMb(side.daemonPid).toFixed(0)} MB of memory afterwards`);
    measures.removeAll(side);
  }
  const [mine = 0, theirs = 0] = took;
  report.add({
    ...{ what: `docker logs of ${megabytes} MB`, healthctl: mine.toFixed(0), docker: theirs.toFixed(0) },
    ...ratio(mine / theirs, 1.2),
  });
}

function msOfOutput([file = '', ...args]: readonly string[], env: Record<string, string>, bytes: number) {
  return new Promise<number>((done, reject) => {
    const startMs = performance.now();
    let seen = 0;
    const program = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    program.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.length;
    });
    program.once('error', reject);
    program.once('close', (code) =>
      code === 0 && seen === bytes
        ? done(performance.now() - startMs)
        : reject(new Error(`${file} ended with ${code}, after ${seen} of ${bytes} bytes`)),
    );
  });
}

function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_000;
}
