import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findTool } from '../../src/system/programs.ts';
import { mustRun, runProgram } from '../fixtures/program.ts';
import type { Bed } from './harness.ts';
import { openNerdctlBed } from './nerdctl-bed.ts';

/** A real nerdctl, from 2.1.5 on, where one is on the PATH. test/e2e/nerdctl.test.ts has what can be told without it. */
const NERDCTL = findTool('nerdctl', (process.env.PATH ?? '').split(':'));

describe.skipIf(NERDCTL === undefined)('beside a real nerdctl', () => {
  let bed: Bed;
  let image: string;
  let dataRoot: string;
  let close: () => Promise<void>;
  const commandOf = (args: readonly string[]) => {
    const { address, namespace } = bed;
    return [NERDCTL ?? '', '--address', address, '--namespace', namespace, '--data-root', dataRoot, ...args];
  };
  const nerdctl = async (...args: string[]) =>
    (await mustRun(commandOf(args), { env: bed.env, cwd: bed.directory })).trim();
  /** One health check by nerdctl; its exit status. */
  const checkByNerdctl = async (name: string) =>
    (await runProgram(commandOf(['container', 'healthcheck', name]), { env: bed.env, cwd: bed.directory })).code;

  beforeAll(async () => {
    ({ bed, image, dataRoot, close } = await openNerdctlBed());
  });
  afterAll(() => close());

  test('a container of nerdctl’s is listed, inspected, checked, stopped, started and removed by healthctl', async () => {
    const name = bed.name('theirs');
    const run = [
      'run',
      '-d',
      '--network',
      'none',
      '--name',
      name,
      '--health-cmd',
      'echo checked',
      image,
      'sleep',
      '600',
    ];
    const id = await nerdctl(...run);
    expect(await bed.ok(['ps', '--no-trunc', '--format', '{{.ID}} {{.Names}} {{.State}}'])).toBe(
      `${id} ${name} running`,
    );
    await bed.ok(['healthcheck', 'run', name]);
    expect(await nerdctl('inspect', '--format', '{{.State.Health.Status}}', name)).toBe('healthy');
    expect(await checkByNerdctl(name)).toBe(0);
    expect(await bed.ok(['inspect', '--format', '{{len .State.Health.Log}}', name])).toBe('2');
    await bed.ok(['stop', '-t', '0', name]);
    expect(await nerdctl('inspect', '--format', '{{.State.Status}}', name)).toBe('exited');
    await bed.ok(['start', name]);
    expect(await nerdctl('inspect', '--format', '{{.State.Status}}', name)).toBe('running');
    await bed.ok(['rm', '--force', name]);
    expect(await nerdctl('ps', '--all', '--quiet')).toBe('');
    // The name is free again for either.
    await nerdctl(...run);
    await nerdctl('rm', '--force', name);
    await bed.ok(['rm', await bed.ok(['create', '--name', name, image, 'true'])]);
  });

  test('a container of ours is listed, inspected, checked, stopped, started and removed by nerdctl', async () => {
    const name = bed.name('ours');
    const create = ['--name', name, '--health-cmd', 'echo checked', image, 'sleep', '600'];
    const id = await bed.ok(['run', '-d', ...create]);
    expect(await nerdctl('ps', '--no-trunc', '--format', '{{.ID}} {{.Names}}')).toBe(`${id} ${name}`);
    expect(await checkByNerdctl(name)).toBe(0);
    expect(await bed.ok(['inspect', '--format', '{{.State.Health.Status}} {{len .State.Health.Log}}', name])).toBe(
      'healthy 1',
    );
    await nerdctl('stop', '-t', '0', name);
    expect(await bed.ok(['inspect', '--format', '{{.State.Status}}', name])).toBe('exited');
    await nerdctl('start', name);
    expect(await bed.ok(['inspect', '--format', '{{.State.Status}}', name])).toBe('running');
    await nerdctl('rm', '--force', name);
    expect(await bed.ok(['ps', '--all', '--quiet'])).toBe('');
    expect(await bed.ok(['rm', await bed.ok(['create', ...create])])).not.toBe('');
  });
});
