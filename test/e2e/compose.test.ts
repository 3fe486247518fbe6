import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mustRun } from '../../testbed/program.ts';
import { startEngine } from './support/engine.ts';
import { type Bed, HEALTHCTL, openBed } from './support/harness.ts';

/** In place of docker-compose: says how it was called, and does what its first argument says. */
const PROVIDER = `#!/bin/sh
echo "name $(basename "$0"), host $DOCKER_HOST, context \${DOCKER_CONTEXT-none}"
for word; do echo "word <$word>"; done
case $1 in
  read) cat ;;
  fail) exit 7 ;;
  wait) trap 'echo got INT; exit 3' INT; echo "pid $$"; while :; do sleep 0.05; done ;;
  file) : >"$2" ;;
  pipe) while :; do echo x; done ;;
esac
`;

let bed: Bed;
let socket: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  mkdirSync(join(bed.directory, 'bin'));
  writeFileSync(join(bed.directory, 'bin/docker-compose'), PROVIDER);
  chmodSync(join(bed.directory, 'bin/docker-compose'), 0o755);
  socket = join(bed.runRoot, 'docker.sock');
});
afterAll(async () => {
  await bed.cli(['daemon', 'stop']);
  await bed[Symbol.asyncDispose]();
});

const withProvider = () => ({ env: { PATH: `${join(bed.directory, 'bin')}:${bed.env.PATH}`, DOCKER_CONTEXT: 'x' } });

test('what needs no daemon starts none', async () => {
  const said = await bed.ok(['compose', '--version'], withProvider());
  expect(said).toContain(`host unix://${socket}`);
  expect((await bed.cli(['daemon', 'status'])).code).toBe(1);
});

test('compose gets all words as they are, the socket of the monitor that it starts, and input; its status is ours', async () => {
  const words = ['read', '-f', 'a b', '--', '--namespace', 'x', '-h'];
  expect(await bed.ok(['compose', ...words], { ...withProvider(), stdin: 'some input' })).toBe(
    [
      `name docker-compose, host unix://${socket}, context none`,
      ...words.map((word) => `word <${word}>`),
      'some input',
    ].join('\n'),
  );
  expect(statSync(socket).isSocket()).toBe(true);
  expect(await bed.ok(['docker-env'])).toBe(`export DOCKER_HOST=unix://${socket}`);
  expect((await bed.cli(['compose', 'fail'], withProvider())).code).toBe(7);
});

test('compose takes the place of the command: a signal reaches it once', async () => {
  const running = bed.spawn(['compose', 'wait'], withProvider());
  await running.prints('pid ');
  expect(running.stdout()).toContain(`pid ${running.pid}\n`);
  running.kill('SIGINT');
  const { code, stdout } = await running.exited;
  expect(code).toBe(3);
  expect(stdout.match(/got INT/g)).toHaveLength(1);
});

test("compose has the caller's umask, and ends when nobody reads its output", async () => {
  const file = join(bed.directory, 'made');
  const command = [HEALTHCTL, ...bed.globalFlags, 'compose'].join(' ');
  const shell = (script: string) =>
    mustRun(['bash', '-c', script], { env: { ...bed.env, ...withProvider().env }, cwd: bed.directory });
  await shell(`umask 077; ${command} file ${file}`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await shell(`${command} pipe | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`)).toBe('141\n');
});

test('a monitor that a command started without a socket is replaced; one of the user is not', async () => {
  await bed.ok(['daemon', 'stop']);
  expect(existsSync(socket)).toBe(false);
  await bed.ok(['daemon', 'start']);
  expect((await bed.cli(['docker-env'])).code).toBe(1);
  await bed.ok(['compose', 'up'], withProvider());
  expect(await bed.ok(['docker-env'])).toBe(`export DOCKER_HOST=unix://${socket}`);
  await bed.ok(['daemon', 'stop']);

  const own = bed.spawn(['daemon', 'run']);
  await bed.ok(['daemon', 'start']); // waits until it answers
  const { code, stderr } = await bed.cli(['compose', 'up'], withProvider());
  expect(code).toBe(1);
  expect(stderr).toBe(
    `healthctl: the monitor, process ${own.pid}, does not serve Docker's API\ninstall the monitor with "healthctl daemon install --docker-socket", or set docker_socket = "${socket}" in ${bed.env.HEALTHCTL_TOML} and restart it\n`,
  );
  own.kill('SIGTERM');
  await own.exited;
});

test("compose uses the socket of the user's monitor, for its namespace only", async () => {
  const { monitor, socket: theirs } = await startEngine(bed);
  expect(await bed.ok(['compose', 'ps'], withProvider())).toContain(`host unix://${theirs}`);
  const { code, stderr } = await bed.cli(['--namespace', 'other', 'compose', 'ps'], withProvider());
  expect(code).toBe(1);
  expect(stderr).toContain(`serves Docker's API for the namespace "${bed.namespace}", not "other"`);
  monitor.kill('SIGTERM');
  await monitor.exited;
});

test('a configured provider counts before others, and is named where it is missing', async () => {
  const toml = join(bed.directory, 'provider.toml');
  writeFileSync(toml, 'compose_provider = "/nowhere/compose"\n');
  const options = { env: { ...withProvider().env, HEALTHCTL_TOML: toml } };
  const { code, stderr } = await bed.cli(['compose', 'ps'], options);
  expect([code, stderr]).toEqual([
    1,
    `healthctl: compose_provider = "/nowhere/compose": no program\nit is set in ${toml}\n`,
  ]);
  rmSync(toml);
});
