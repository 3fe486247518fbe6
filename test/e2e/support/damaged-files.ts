import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostIdOf } from '../../../src/lib/dirs.ts';
import type { RunningProgram } from '../../../testbed/program.ts';
import { type Bed, openBed, until } from './harness.ts';

// Replaces each file of healthctl by something else: the monitor must start, checks must continue, commands must work,
// and SIGTERM must end it.

/** How a file can be damaged. */
const KINDS = {
  'a FIFO': (path) => execFileSync('mkfifo', [path]),
  'a directory': (path) => mkdirSync(join(path, 'in'), { recursive: true }),
  'a link to nothing': (path) => symlinkSync('/nonexistent/healthctl', path),
  'a link to an endless device': (path) => symlinkSync('/dev/zero', path),
  'a text that is none of ours': (path) => writeFileSync(path, 'damaged\n\0{"a":'),
  'an empty file': (path) => writeFileSync(path, ''),
  'a file of a terabyte': (path) => {
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
  },
} satisfies Readonly<Record<string, (path: string) => void>>;
export type Damage = keyof typeof KINDS;
export const DAMAGES = Object.keys(KINDS) as readonly Damage[];

let bed: Bed;
let image: string;

interface Subject {
  readonly name: string;
  readonly id: string;
}

/** A running container that is checked every second, prints, and is restarted, with all its files. */
async function runSubject(): Promise<Subject> {
  const name = bed.name('damaged');
  const check = ['--health-cmd', 'true', '--health-interval', '1s'];
  const kept = ['--restart', 'on-failure:3', '--log-opt', 'max-size=1m'];
  const id = await bed.ok(['run', '-d', '--name', name, ...check, ...kept, image, 'sh', '-c', 'echo out; sleep 3600']);
  return { name, id };
}

/** All files to damage: those of a monitor and of a container. */
function filesOf({ id }: Subject): readonly string[] {
  const [run, data] = [bed.runRoot, bed.dataRoot].map((root) => join(root, hostIdOf(bed.address)));
  const below = (root: string | undefined, dir: string, names: readonly string[]) =>
    names.map((name) => join(root ?? '', dir, name));
  return [
    ...below(run, '.events', ['events.jsonl', 'events.old.jsonl']),
    ...below(run, '.daemon', ['lock', 'lock.owner', 'start.lock', 'api.sock', 'grpc.sock']),
    ...below(run, '', ['.network-rules']),
    ...below(run, bed.namespace, ['.names.lock']),
    ...below(run, join(bed.namespace, id), ['check.lock', 'health.json']),
    ...below(data, '', ['daemon.log']),
    ...below(data, join('containers', bed.namespace, id), ['stdout.times', 'stderr.times', 'exit.json']),
    ...below(data, join('containers', bed.namespace, id), ['restarts.json', 'address']),
    ...below(data, 'network', ['lock', 'networks/other.json', `attached/${bed.namespace}:${id}.json`]),
    ...below(data, join('volumes', bed.namespace, 'vol'), ['volume.json']),
  ];
}

/** Requires that the monitor answers, checks continue, and commands work. */
async function useAll(monitor: RunningProgram, name: string, answers: () => Promise<boolean>): Promise<void> {
  const hasAnswered = until(answers, { withinMs: 20_000 });
  await Promise.race([hasAnswered, monitor.exited.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const health = async () => JSON.parse(await bed.ok(['inspect', '--format', '{{json .State.Health.Log}}', name]));
  await until(async () => (await health()).length >= 2, { withinMs: 20_000 });

  for (const args of [
    ['ps', '-a'],
    ['logs', name],
    ['logs', '-t', name],
    ['network', 'ls'],
    ['volume', 'ls'],
    ['events', '--since', '1h', '--until', '0s'],
    ['container', 'healthcheck', name],
    ['restart', '-t', '0', name],
    ['volume', 'create', bed.name('new')],
  ])
    expect(await bed.cli(args, { timeoutMs: 30_000 }), args.join(' ')).toMatchObject({
      code: 0,
      stderr: expect.not.stringMatching(/^healthctl:/m),
    });
  // A log that was set aside counts as absent.
  expect([0, 1]).toContain((await bed.cli(['daemon', 'logs'], { timeoutMs: 30_000 })).code);
  await bed.ok(['rm', '-f', name]);
}

/** The directories to damage: of the events, the monitor and the container. */
function directoriesOf({ id }: Subject): readonly string[] {
  const [run, data] = [bed.runRoot, bed.dataRoot].map((root) => join(root, hostIdOf(bed.address)));
  return [
    ...['.events', '.daemon', join(bed.namespace, id)].map((name) => join(run ?? '', name)),
    ...[join('containers', bed.namespace, id), 'network/attached'].map((name) => join(data ?? '', name)),
  ];
}

/** Which files of healthctl are replaced at the same time, and by what. */
export interface Damaged {
  readonly kind: Damage;
  readonly what: 'file' | 'directory';
}

/** One test for each of these. */
export function describeDamaged(title: string, cases: readonly Damaged[]): void {
  describe(title, () => {
    beforeAll(async () => {
      bed = await openBed();
      image = await bed.image();
    });
    afterAll(() => bed[Symbol.asyncDispose]());
    test.for(cases)('works with $kind in place of each $what', surviveDamage);
  });
}

async function surviveDamage({ kind, what }: Damaged): Promise<void> {
  const pathsOf = what === 'file' ? filesOf : directoriesOf;
  const subject = await runSubject();
  const { name, id } = subject;
  const first = bed.spawn(['daemon', 'run', '--log-format', 'text']);
  const answers = async () => (await bed.cli(['daemon', 'status'])).code === 0;
  await until(answers, { withinMs: 20_000 });
  first.kill('SIGTERM');
  await first.exited;
  for (const path of pathsOf(subject)) {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { recursive: true, force: true });
    KINDS[kind](path);
  }

  const monitor = bed.spawn(['daemon', 'run', '--log-format', 'text']);
  try {
    await useAll(monitor, name, answers);
  } catch (error) {
    monitor.kill('SIGKILL');
    throw error;
  }

  monitor.kill('SIGTERM');
  const { code, stderr } = await monitor.exited;
  expect(code).toBe(0);
  const warnings = stderr.split('\n').filter((line) => / warn /i.test(line));
  const texts = warnings.map((line) => line.replace(/^\S+ /, ''));
  expect(texts).toEqual([...new Set(texts)]);
  rmSync(join(bed.dataRoot, hostIdOf(bed.address), 'volumes'), { recursive: true, force: true });
  rmSync(join(bed.dataRoot, hostIdOf(bed.address), 'network'), { recursive: true, force: true });
  expect(readdirSync(join(bed.runRoot, hostIdOf(bed.address), bed.namespace))).not.toContain(id);
}
