// Compares Docker's API of healthctl with that of a real Docker, in turn in one run: the same runc, containerd, seccomp
// profile and docker command line, no network. Needs what bench/docker.ts needs.
//   node --import tsx bench/engine.ts --docker-root DIR [--rounds 15] [--containers 60] [--log-mb 200]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { dockerArchive } from '../testbed/image-archive.ts';
import { startContainerd } from '../testbed/private-containerd.ts';
import { writeSeccomp } from './docker/bed.ts';
import { startDocker } from './docker/docker-side.ts';
import { startHealthctl } from './docker/healthctl-side.ts';
import * as measures from './docker/measures.ts';
import { createReport, ratio } from './docker/report.ts';
import { inTurn, type Side, type Sides } from './docker/side.ts';
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
/** Of the clients that both sides share. */
const docker = join(root, 'usr/bin/docker');
const PLACE = ['--network', 'none'];
/** Answers of one measurement. */
const LISTS = 20;
const ENDS_AT_ONCE = ['sh', '-c', 'trap exit TERM; sleep 3600 & wait'];

/** A side behind its socket, driven by the same client. */
type Served = Side & { readonly socket: string };

const programs = mkdtempSync(join(tmpdir(), 'healthctl-bench-bin-'));
for (const name of ['containerd', 'containerd-shim-runc-v2', 'ctr'])
  symlinkSync(join(root, 'usr/bin', name), join(programs, name));
process.env.HEALTHCTL_TEST_BIN = programs;
const report = createReport();
const stops: (() => Promise<void>)[] = [async () => rmSync(programs, { recursive: true })];
try {
  const containerd = await startContainerd();
  stops.push(containerd.stop);
  const { directory } = containerd;
  mkdirSync(join(directory, 'docker'));
  const seccomp = writeSeccomp(directory);
  const real = await startDocker(root, directory, seccomp);
  stops.push(real.stop);
  const socket = join(directory, 'healthctl.sock');
  const ours = await startHealthctl(containerd, seccomp, { dockerSocket: socket });
  stops.push(ours.stop);
  const served = (side: Side, at: string): Served => ({
    ...side,
    socket: at,
    program: [docker, '--host', `unix://${at}`],
  });
  const sides = { healthctl: served(ours, socket), docker: served(real, join(directory, 'docker.sock')) };
  const archive = join(directory, 'image.tar');
  writeFileSync(archive, await dockerArchive({ name: measures.IMAGE, config: {} }));
  for (const side of [sides.healthctl, sides.docker]) measures.must(side, 'load', '-q', '-i', archive);
  report.note(`${ours.versions}\n${real.versions}`);
  await compareLife(sides);
  await compareLists(sides);
  await compareLogs(sides, Number(values['log-mb']));
} finally {
  report.end();
  for (const stop of stops.reverse()) await stop();
}

async function timed(what: string, limit: number, both: Sides<Served>, work: (side: Served) => Promise<number>) {
  const seen = await inTurn(both, rounds, (side) => work(side as Served));
  const [mine, theirs] = [quantile(seen.healthctl, 0.5), quantile(seen.docker, 0.5)];
  report.add({ what, healthctl: spread(seen.healthctl), docker: spread(seen.docker), ...ratio(mine / theirs, limit) });
}

function wallOf(side: Served, ...args: readonly string[]): number {
  return measures.wallMsOf([...side.program, ...args], side.env);
}

async function compareLife(both: Sides<Served>): Promise<void> {
  const flags = (side: Served) => [...PLACE, '--security-opt', `seccomp=${side.seccomp}`];
  let count = 0;
  await timed('docker run -d', 1.05, both, async (side) => {
    count += 1;
    return wallOf(side, 'run', '-d', '--name', `r${count}`, ...flags(side), measures.IMAGE, ...ENDS_AT_ONCE);
  });
  for (const side of [both.healthctl, both.docker])
    measures.must(side, 'run', '-d', '--name', 'other', ...flags(side), measures.IMAGE, ...ENDS_AT_ONCE);
  if (process.env.NOEXEC === undefined)
    await timed('docker exec true', 1.05, both, async (side) => wallOf(side, 'exec', 'other', 'true'));
  await timed('docker stop', 1.05, both, async (side) => {
    const [name = ''] = measures.must(side, 'ps', '--filter', 'name=^r', '--format', '{{.Names}}').trim().split('\n');
    return wallOf(side, 'stop', name);
  });
  for (const side of [both.healthctl, both.docker]) measures.removeAll(side);
}

async function compareLists(both: Sides<Served>): Promise<void> {
  const containers = Number(values.containers);
  for (const side of [both.healthctl, both.docker]) await measures.runMany(side, { containers, flags: [] });
  await timed(`docker ps of ${containers}`, 1, both, async (side) => wallOf(side, 'ps'));
  await timed(`GET /containers/json of ${containers}, one connection`, 1, both, async (side) => msOfList(side.socket));
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

async function compareLogs(both: Sides<Served>, megabytes: number): Promise<void> {
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
