// Compares healthctl's monitor with a real Docker, in turn in one run: the same runc, libseccomp, containerd and
// seccomp profile (healthctl's default, for both), no network. Needs root, runc, cgroup v1, `npm run build`, a root
// directory with a dockerd, and for `cheap` what testbed/debian-root.ts needs to make an image with nginx.
//   node --import tsx bench/docker.ts --docker-root DIR [--quick] [--only ps,cpu,cheap,lateness,hanging,start]
//       [--rounds 4] [--late 50] [--late-rounds 2] [--only starts --max-checks 2,3,4,8,16,64]
// HEALTHCTL_DOCKER_ROOT can replace --docker-root. --quick takes a third of the time; its figures are rough. --late is
// the number of containers of `lateness`, `hanging` and `starts`; more of them make a fast machine as busy as a slow
// one. An interrupted run prints the figures that it has.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { debianArchive } from '../testbed/debian-root.ts';
import { dockerArchive } from '../testbed/image-archive.ts';
import { startContainerd } from '../testbed/private-containerd.ts';
import { writeSeccomp } from './docker/bed.ts';
import { CLOCK_IMAGE, compareHanging, compareLateness, compareStarts } from './docker/compare-lateness.ts';
import { startDocker } from './docker/docker-side.ts';
import { startHealthctl } from './docker/healthctl-side.ts';
import * as measures from './docker/measures.ts';
import { createReport, ratio } from './docker/report.ts';
import { CLOCK_CHECK } from './docker/result.ts';
import { inTurn, type Side, type Sides } from './docker/side.ts';
import { quantile, spread } from './docker/table.ts';

const { values } = parseArgs({
  options: {
    'docker-root': { type: 'string', default: process.env.HEALTHCTL_DOCKER_ROOT ?? '' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'ps,cpu,cheap,lateness,hanging,start' },
    rounds: { type: 'string', default: '4' },
    late: { type: 'string', default: '50' },
    'late-rounds': { type: 'string', default: '2' },
    'max-checks': { type: 'string', default: '2,3,4,8,16,64' },
  },
});
const root = resolve(values['docker-root']);
if (values['docker-root'] === '' || !existsSync(join(root, 'usr/sbin/dockerd'))) {
  console.error(`no dockerd: --docker-root or HEALTHCTL_DOCKER_ROOT names a directory in which there is usr/sbin/dockerd
make one, of Docker 28.5 (560 MB): mmdebstrap --variant=apt \\
  --include=docker.io,docker-cli,containerd,runc,mount,iproute2,ca-certificates sid DIR`);
  process.exit(1);
}
const parts = new Set(values.only.split(','));
const quick = values.quick;
const rounds = quick ? 2 : Number(values.rounds);
const PS_CONTAINERS = 60;

// Docker's containerd also serves healthctl. Its runc does not run with an older libc, so both sides use the runc of
// the host.
const programs = mkdtempSync(join(tmpdir(), 'healthctl-bench-bin-'));
for (const name of ['containerd', 'containerd-shim-runc-v2', 'ctr'])
  symlinkSync(join(root, 'usr/bin', name), join(programs, name));
process.env.HEALTHCTL_TEST_BIN = programs;
const report = createReport();
const stops: (() => Promise<void>)[] = [async () => rmSync(programs, { recursive: true })];
let stopping: Promise<void> | undefined;
/** A second call, as by what a signal interrupted, waits for the first. */
const stopAll = (): Promise<void> => {
  stopping ??= (async () => {
    for (const stop of stops.reverse()) await stop();
  })();
  return stopping;
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    report.end();
    void stopAll().then(() => process.exit(1));
  });
}
try {
  const containerd = await startContainerd();
  stops.push(containerd.stop);
  const { directory } = containerd;
  mkdirSync(join(directory, 'docker'));
  const seccomp = writeSeccomp(directory);
  const docker = await startDocker(root, directory, seccomp);
  stops.push(docker.stop);
  const healthctl = await startHealthctl(containerd, seccomp);
  stops.push(healthctl.stop);
  const sides = { healthctl, docker };

  const archive = join(directory, 'image.tar');
  for (const [name, Test] of Object.entries({ [measures.IMAGE]: ['CMD', '/bin/true'], [CLOCK_IMAGE]: CLOCK_CHECK })) {
    writeFileSync(archive, await dockerArchive({ name, config: { Healthcheck: { Test } } }));
    for (const side of [healthctl, docker]) measures.must(side, 'load', '-q', '-i', archive);
  }
  report.note(`${healthctl.versions}\n${docker.versions}\nload average ${loadOf()} before`);
  const shared = { sides, report, containers: Number(values.late), rounds: quick ? 1 : Number(values['late-rounds']) };

  const comparisons = {
    ps: () => comparePs(sides),
    cpu: () => compareCpu(sides),
    cheap: () => compareCheap(sides),
    lateness: () => compareLateness({ ...shared, seconds: quick ? 12 : 30 }),
    hanging: () => compareHanging({ ...shared, seconds: quick ? 20 : 40 }), // longer than a timeout of 30 s
    starts: () =>
      compareStarts({ ...shared, sides, seconds: quick ? 12 : 20 }, values['max-checks'].split(',').map(Number)),
    start: () => compareStart(sides),
  };
  for (const [name, compare] of Object.entries(comparisons)) {
    if (!parts.has(name)) continue;
    const startMs = performance.now();
    await compare();
    report.note(`${name}: ${((performance.now() - startMs) / 1_000).toFixed(0)} s, load average ${loadOf()}`);
  }
} finally {
  report.end();
  await stopAll();
}

function loadOf(): string {
  return loadavg()[0]?.toFixed(2) ?? '';
}

async function comparePs(sides: Sides<Side>): Promise<void> {
  const { healthctl, docker } = sides;
  for (const side of [healthctl, docker])
    await measures.runMany(side, { containers: PS_CONTAINERS, flags: measures.NEVER });
  await sleep(2_000);
  const node: number[] = [];
  const seen = await inTurn(sides, quick ? 7 : 25, async ({ program, env }) => {
    node.push(measures.wallMsOf([process.execPath, '-e', '0'], env));
    return measures.wallMsOf([...program, 'ps'], env);
  });
  for (const side of [healthctl, docker]) measures.removeAll(side);
  const [ours, theirs, bare] = [seen.healthctl, seen.docker, node].map((list) => quantile(list, 0.5)) as [
    number,
    number,
    number,
  ];
  report.add(
    {
      ...{ what: `ps of ${PS_CONTAINERS}, wall time`, healthctl: spread(seen.healthctl), docker: spread(seen.docker) },
      ...ratio(ours / theirs, 1),
    },
    {
      what: `ps of ${PS_CONTAINERS}, against bare node`,
      ...{ healthctl: ours.toFixed(1), docker: `node: ${spread(node)}` },
      ...ratio(ours / bare, 1.8),
    },
  );
}

async function compareCpu(sides: Sides<Side>): Promise<void> {
  const seconds = quick ? 5 : 20;
  const both = [sides.healthctl, sides.docker];
  for (const side of both) await measures.runMany(side, { containers: 5, flags: measures.NEVER });
  const [idleOurs, idleTheirs] = (await measures.idleCpu(both, quick ? 1 : 2)) as [measures.Cpu, measures.Cpu];
  for (const side of both) measures.removeAll(side);
  const seen = await inTurn(sides, rounds, (side) => measures.cpuOfCheck(side, seconds));
  const counted = (list: readonly { checks: number }[]) => list.reduce((sum, { checks }) => sum + checks, 0);
  report.note(`CPU of ${counted(seen.healthctl)} and ${counted(seen.docker)} checks, ${rounds} rounds`);
  const all = { ours: seen.healthctl.map((one) => one.all), theirs: seen.docker.map((one) => one.all) };
  const own = { ours: seen.healthctl.map((one) => one.own), theirs: seen.docker.map((one) => one.own) };
  const ownMs = quantile(own.ours, 0.5);
  report.add(
    {
      ...{ what: 'all CPU of a check', healthctl: spread(all.ours), docker: spread(all.theirs) },
      ...ratio(quantile(all.ours, 0.5) / quantile(all.theirs, 0.5), 0.85),
    },
    {
      ...{ what: "the daemon's own CPU of a check", healthctl: spread(own.ours), docker: spread(own.theirs) },
      ...{ figure: `${ownMs.toFixed(1)} ms`, target: '4 ms', reached: ownMs <= 4 },
    },
    {
      what: 'all CPU without a check, per second',
      ...{ healthctl: idleOurs.all.toFixed(2), docker: idleTheirs.all.toFixed(2) },
      ...ratio(idleOurs.all / idleTheirs.all, 1),
    },
    {
      what: 'of it the daemon itself',
      ...{ healthctl: idleOurs.own.toFixed(2), docker: idleTheirs.own.toFixed(2) },
      ...ratio(idleOurs.own / idleTheirs.own, 1),
    },
  );
}

/** The cost of checks that need no exec, compared with Docker's check by the same program. */
async function compareCheap({ healthctl, docker }: Sides<Side>): Promise<void> {
  const seconds = quick ? 5 : 10;
  type Seen = Awaited<ReturnType<typeof measures.cpuOfCheck>>;
  const kinds: { what: string; load: measures.Load; share: number; seen: Seen[] }[] = [
    { what: 'a resident check', load: measures.RESIDENT, share: 1 / 12, seen: [] },
    { what: 'an http check', load: measures.HTTP, share: 1 / 40, seen: [] },
    { what: 'an http check of nginx, 150 a second', load: measures.HTTP_MANY, share: 1 / 40, seen: [] },
  ];
  const dockers: Seen[] = [];
  measures.must(healthctl, 'load', '-q', '-i', await debianArchive('nginx-light', measures.NGINX_IMAGE));
  for (let round = 0; round < rounds; round += 1) {
    dockers.push(await measures.cpuOfCheck(docker, seconds));
    for (const { load, seen } of kinds) seen.push(await measures.cpuOfCheck(healthctl, seconds, load));
  }
  const of = (seen: readonly Seen[], figure: 'all' | 'own' | 'tookMs') => seen.map((one) => one[figure]);
  const theirs = of(dockers, 'all');
  for (const { what, share, seen } of kinds) {
    const ours = of(seen, 'all');
    const [took, dockerTook] = [of(seen, 'tookMs'), of(dockers, 'tookMs')];
    report.add(
      {
        ...{ what: `all CPU of ${what}`, healthctl: spread(ours), docker: spread(theirs) },
        ...ratio(quantile(ours, 0.5) / quantile(theirs, 0.5), share),
      },
      {
        what: `the monitor's own CPU of ${what}`,
        ...{ healthctl: spread(of(seen, 'own')), docker: spread(of(dockers, 'own')) },
        ...{ figure: '', target: '', reached: undefined },
      },
      {
        ...{ what: `wall time of ${what}`, healthctl: spread(took), docker: spread(dockerTook) },
        ...{ figure: `${quantile(took, 0.5).toFixed(1)} ms`, target: '3 ms', reached: quantile(took, 0.5) <= 3 },
      },
    );
  }
}

async function compareStart(sides: Sides<Side>): Promise<void> {
  const events = { healthctl: measures.followEvents(sides.healthctl), Docker: measures.followEvents(sides.docker) };
  await sleep(1_000);
  const seen = await inTurn(sides, quick ? 3 : 11, (side) => measures.startToHealthy(side, events[side.name]));
  for (const { end } of Object.values(events)) end();
  for (const side of [sides.healthctl, sides.docker]) measures.removeAll(side);
  const [ours, theirs] = [seen.healthctl.map((one) => one.fromStart), seen.docker.map((one) => one.fromStart)];
  const whole = (list: readonly { fromCommand: number }[]) => spread(list.map((one) => one.fromCommand));
  const ownMs = quantile(ours, 0.5);
  report.add(
    {
      ...{ what: 'start to healthy', healthctl: spread(ours), docker: spread(theirs) },
      ...{ figure: `${ownMs.toFixed(0)} ms`, target: '200 ms', reached: ownMs <= 200 },
    },
    {
      ...{ what: 'command to healthy', healthctl: whole(seen.healthctl), docker: whole(seen.docker) },
      ...{ figure: '', target: '', reached: undefined },
    },
  );
}
