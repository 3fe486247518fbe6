import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostIdOf } from '../../src/lib/dirs.ts';
import { dockerArchive } from '../../testbed/image-archive.ts';
import { startContainerd, testbedEnvironment } from '../../testbed/private-containerd.ts';
import { runProgram, startProgram } from '../../testbed/program.ts';
import { type Bed, HEALTHCTL, openBed, until } from './support/harness.ts';

// Ordinary failures: one clear line that says what to do, Docker's exit status, and nothing incomplete left.

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
  // The directories that the first container makes stay, and do not count as left.
  await bed.ok(['run', '-d', '--name', 'first', await bed.image(), 'sleep', '600']);
  await bed.ok(['container', 'rm', '-f', 'first']);
});
afterAll(() => bed[Symbol.asyncDispose]());

/** The line of an error, without its hint. */
const firstLine = (stderr: string) => stderr.split('\n').filter((line) => !line.startsWith('WARNING'))[0];

describe('containerd that cannot be reached', () => {
  const elsewhere = (args: readonly string[], address: string) =>
    runProgram([HEALTHCTL, '--address', address, ...args], { env: bed.env });

  test.each([
    [['ps'], 1],
    [['inspect', 'x'], 1],
    [['images'], 1],
    [['container', 'healthcheck', 'x'], 1],
    [['healthcheck', 'run', 'x'], 125],
    [['run', 'x'], 125],
    [['create', 'x'], 1],
  ])('gives an error for the address %j, without a socket', async (args, code) => {
    const { stderr, stdout, code: got } = await elsewhere(args, '/nonexistent/containerd.sock');
    expect([got, stdout, stderr.split('\n')]).toEqual([
      code,
      '',
      [
        'healthctl: cannot connect to containerd: there is no socket at /nonexistent/containerd.sock',
        expect.stringContaining('--address'),
        '',
      ],
    ]);
  });

  test('gives an error for a socket that nobody listens on', async () => {
    const path = join(bed.directory, 'dead.sock');
    await runProgram(['python3', '-c', `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(path)})`], {
      env: bed.env,
    }).catch(() => undefined);
    const { stderr, code } = await elsewhere(['ps'], path);
    expect([code, firstLine(stderr)]).toEqual([1, expect.stringMatching(/^healthctl: cannot connect to containerd/)]);
  });

  test('gives an error for a socket without permission', async () => {
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, HEALTHCTL];
    const { stderr, code } = await runProgram([...asNobody, '--address', bed.address, 'ps'], {
      env: { ...bed.env, HEALTHCTL_TOML: '/dev/null' },
    });
    expect([code, firstLine(stderr)]).toEqual([1, expect.stringMatching(/permission denied|there is no socket/)]);
    expect(stderr).toMatch(/root|--address/);
  });

  test('ends an attached run with an error', async () => {
    const other = await startContainerd();
    try {
      const env = testbedEnvironment(other.directory);
      mkdirSync(join(other.directory, 'tmp'), { recursive: true });
      const archive = join(other.directory, 'image.tar');
      writeFileSync(archive, await dockerArchive({ name: 'docker.io/test/gone:1', config: {} }));
      const roots = ['--run-root', join(other.directory, 'r'), '--data-root', join(other.directory, 'd')];
      const call = [HEALTHCTL, '--address', other.address, '--namespace', 'gone', ...roots];
      await runProgram([...call, 'load', '-q', '-i', archive], { env });
      const running = startProgram(
        [...call, 'run', '--network', 'none', 'docker.io/test/gone:1', 'sh', '-c', 'echo up; sleep 600'],
        {
          env,
        },
      );
      await running.prints('up', 20_000);
      await other.stop();
      expect((await running.exited).code).not.toBe(0);
    } finally {
      await other.stop();
    }
  });
});

describe('a namespace that does not exist', () => {
  test('is named in "No such container", with the namespaces that exist', async () => {
    const flags = ['--address', bed.address, '--namespace', 'no-such-namespace'];
    const roots = ['--run-root', bed.runRoot, '--data-root', bed.dataRoot];
    const { code, stderr } = await runProgram([HEALTHCTL, ...flags, ...roots, 'stop', 'web'], { env: bed.env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/No such container: web\n.*no namespace no-such-namespace.*/);
    const listed = await runProgram([HEALTHCTL, ...flags, ...roots, 'ps', '-q'], { env: bed.env });
    expect(listed).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('no-such-namespace') });
  });
});

describe('refused commands leave nothing', () => {
  test.each<[string, readonly string[], RegExp, number, number]>([
    ['no such image', ['--pull', 'never', 'no/such:1'], /^healthctl: No such image: no\/such:1$/, 125, 1],
    ['registry down', ['127.0.0.1:1/x:1'], /127\.0\.0\.1:1/, 125, 1],
    [
      'a registry that no name server knows, over HTTPS',
      ['registry.invalid/x:1'],
      /registry\.invalid.*no such host|no such host.*registry\.invalid/,
      125,
      1,
    ],
    ['unknown capability', ['--cap-add', 'NOPE', 'IMAGE'], /NOPE/, 125, 1],
    [
      'unknown user',
      ['--user', 'nobody-here', 'IMAGE'],
      /^healthctl: unable to find user nobody-here: no matching entries in passwd file$/,
      125,
      1,
    ],
    ['seccomp file', ['--security-opt', 'seccomp=/nonexistent', 'IMAGE'], /\/nonexistent/, 125, 125],
    ['runtime', ['--runtime', 'no-such-runtime', 'IMAGE'], /no-such-runtime/, 125, 1],
    ['reserved label', ['--label', 'nerdctl/name=x', 'IMAGE'], /nerdctl\/name/, 125, 1],
    ['bad name', ['--name', 'a b', 'IMAGE'], /^healthctl: Invalid container name \(a b\)/, 125, 1],
    ['stop signal', ['--stop-signal', 'SIGNOPE', 'IMAGE'], /^healthctl: invalid signal: SIGNOPE$/, 125, 125],
    ['pull policy', ['--pull', 'perhaps', 'IMAGE'], /must be one of "always", "missing" or "never"/, 125, 125],
    ['network', ['--network', 'nowhere', 'IMAGE'], /^healthctl: network nowhere not found$/, 125, 1],
    ['published ports', ['-p', '80:x', 'IMAGE'], /^healthctl: invalid containerPort: x$/, 125, 125],
    [
      'its own ports in another network',
      ['--network', 'container:x', '-p', '80', 'IMAGE'],
      /^healthctl: conflicting options: port publishing and the container type network mode$/,
      125,
      1,
    ],
    ['restart policy', ['--restart', 'sometimes', 'IMAGE'], /unknown policy 'sometimes'/, 125, 1],
  ])('%s', async (_what, flags, text, runCode, createCode) => {
    const image = await bed.image();
    const args = flags.map((word) => (word === 'IMAGE' ? image : word));
    const before = await bed.traces();
    const run = await bed.cli(['run', ...args]);
    expect([run.code, firstLine(run.stderr.replace(/^Unable to find image.*\n/, ''))]).toEqual([
      runCode,
      expect.stringMatching(text),
    ]);
    const create = await bed.cli(['create', ...args]);
    expect(create.code).toBe(createCode);
    await bed.expectNothingLeft(before);
  });

  test('refuses a name that a container of ours or of nerdctl has', async () => {
    const image = await bed.image();
    const id = await bed.ok(['create', '--name', 'taken', image]);
    const stateDir = `/var/lib/nerdctl/${hostIdOf(bed.address)}/containers/${bed.namespace}/foreign-1`;
    const labels = ['--label', 'nerdctl/name=theirs', '--label', `nerdctl/state-dir=${stateDir}`];
    await bed.ctr('run', '-d', ...labels, image, 'foreign-1', 'sleep', '600');
    // ctr returns before the process has become the program.
    await until(async () => (await bed.traces()).processes.includes('contained sleep 600'));
    const before = await bed.traces();
    expect(await bed.cli(['create', '--name', 'taken', image])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`Conflict. The container name "/taken" is already in use by container "${id}"`),
    });
    expect(await bed.cli(['run', '-d', '--name', 'theirs', image])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('foreign-1'),
    });
    await bed.expectNothingLeft(before);
    await bed.ok(['rm', 'taken']);
  });

  test('of several creates with one name at the same time, one succeeds', async () => {
    const image = await bed.image();
    const all = await Promise.all([1, 2, 3, 4].map(() => bed.cli(['create', '--name', 'race', image])));
    expect(all.map(({ code }) => code).sort()).toEqual([0, 1, 1, 1]);
    await bed.ok(['rm', 'race']);
  });

  test('a program that cannot be started gives 127 or 126; the container stays unless --rm is given', async () => {
    const image = await bed.image();
    const before = await bed.traces();
    expect(await bed.cli(['run', '--rm', image, 'no-such-program'])).toMatchObject({
      code: 127,
      stderr: expect.stringContaining('no-such-program'),
    });
    expect(await bed.cli(['run', '--rm', image, '/etc'])).toMatchObject({ code: 126 });
    await bed.expectNothingLeft(before);
    expect(await bed.cli(['run', '--name', 'stays', image, 'no-such-program'])).toMatchObject({ code: 127 });
    expect(await bed.ok(['ps', '-a', '--filter', 'name=stays', '--format', '{{.State}}'])).toBe('created');
    expect(await bed.cli(['start', 'stays'])).toMatchObject({ code: 1 });
    const state = '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}';
    expect(await bed.ok(['inspect', '-f', state, 'stays'])).toMatch(
      /^created 127 .*exec: "no-such-program": executable file not found in \$PATH/,
    );
    await bed.ok(['rm', 'stays']);
    await bed.expectNothingLeft(before);
  });

  test('a container that cannot be started again shows the reason until it can', async () => {
    const image = await bed.image();
    const other = join(bed.directory, 'program');
    const script = (text: string) => writeFileSync(other, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    script('exit 3');
    const state = () => bed.ok(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}', 'changed']);
    const bind = ['-v', `${other}:/program`];
    expect(await bed.cli(['run', '--name', 'changed', ...bind, image, '/program'])).toMatchObject({ code: 3 });
    expect(await state()).toBe('exited 3 ');
    chmodSync(other, 0o644);
    expect(await bed.cli(['start', 'changed'])).toMatchObject({ code: 1 });
    expect(await state()).toMatch(/^exited 126 .*permission denied/);
    expect(await bed.ok(['ps', '-a', '--filter', 'name=changed', '--format', '{{.Status}}'])).toMatch(
      /^Exited \(126\)/,
    );
    chmodSync(other, 0o755);
    expect(await bed.cli(['start', '-a', 'changed'])).toMatchObject({ code: 3 });
    expect(await state()).toBe('exited 3 ');
    await bed.ok(['rm', 'changed']);
  });

  test('update exits with 1 for what it refuses, and with 125 for a flag that does not parse', async () => {
    const id = await bed.ok(['create', '--health-cmd', 'true', await bed.image()]);
    const update = async (...flags: string[]) => {
      const { code, stderr } = await bed.cli(['update', ...flags, id]);
      return [code, firstLine(stderr)];
    };
    expect(await update('--health-interval', '-1s')).toEqual([1, 'healthctl: --health-interval cannot be negative']);
    expect(await update('--health-interval', '1us')).toEqual([
      1,
      'healthctl: Interval in Healthcheck cannot be less than 1ms',
    ]);
    expect(await update('--no-healthcheck', '--health-cmd', 'x')).toEqual([
      1,
      'healthctl: --no-healthcheck conflicts with --health-* options',
    ]);
    expect((await update('--health-http', 'http://localhost', '--health-http-ca', '/nonexistent'))[0]).toBe(1);
    expect((await update('--restart', 'sometimes'))[0]).toBe(1);
    expect((await update('--health-interval', 'soon'))[0]).toBe(125);
    await bed.ok(['rm', id]);
  });

  test('refuses a template that does not parse', async () => {
    const { code, stderr } = await bed.cli(['ps', '--format', '{{.Names']);
    expect([code > 0, firstLine(stderr)]).toEqual([true, expect.stringContaining('template')]);
  });
});

describe("options of the same name as Node.js's are the command's", () => {
  test('--env-file is read for the container only: a missing file, NODE_OPTIONS in it, and after the image', async () => {
    const image = await bed.image();
    const file = join(bed.directory, 'container.env');
    writeFileSync(file, 'NODE_OPTIONS=--bogus\nA=b\n');
    expect(await bed.cli(['run', '--rm', '--env-file', '/nonexistent.env', image, 'env'])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('open /nonexistent.env'),
    });
    const printed = await bed.ok(['run', '--rm', '--env-file', file, image, 'env']);
    expect(printed).toContain('NODE_OPTIONS=--bogus\nA=b');
    expect(await bed.ok(['run', '--rm', image, 'echo', 'a', '--env-file', '/nonexistent.env'])).toBe(
      'a --env-file /nonexistent.env',
    );
  });
});

describe('an interrupted run', () => {
  test.each(['create', 'run'])('%s at any time leaves a complete container or nothing', async (command) => {
    const image = await bed.image();
    const before = await bed.traces();
    const flags = command === 'run' ? ['-d'] : [];
    for (let delayMs = 60; delayMs < 900; delayMs += 140) {
      const name = bed.name('cut');
      const running = bed.spawn([command, ...flags, '--name', name, '--health-cmd', 'true', image, 'sleep', '600']);
      await new Promise((resolve) => setTimeout(resolve, delayMs)); // a fixed time, to interrupt at different points
      running.kill('SIGINT');
      const { code, stdout } = await running.exited;
      const listed = await bed.ok(['ps', '-a', '-q', '--filter', `name=${name}`]);
      expect([0, 130]).toContain(code);
      if (code === 0) expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
      if (command === 'run' && code !== 0) expect(listed).toBe('');
      if (listed !== '') await bed.ok(['rm', '-f', name]);
    }
    await bed.expectNothingLeft(before);
  });

  test('passes Ctrl-C on to an attached container', async () => {
    const image = await bed.image();
    const before = await bed.traces();
    const running = bed.spawn([
      'run',
      '--rm',
      image,
      'sh',
      '-c',
      'trap "echo caught; exit 42" INT; echo ready; while :; do sleep 0.1; done',
    ]);
    await running.prints('ready', 20_000);
    running.kill('SIGINT');
    const { code, stdout } = await running.exited;
    expect([code, stdout]).toEqual([42, 'ready\ncaught\n']);
    await bed.expectNothingLeft(before);
  });
});
