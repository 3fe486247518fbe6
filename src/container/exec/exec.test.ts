import { constants, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeContainer, outcomeOf } from '../../../test/fakes/container.ts';
import { runDirOf } from '../../lib/dirs.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { lockFile } from '../../system/flock.ts';
import type { UserConsole } from '../console/user-console.ts';
import type { ContainerContext } from '../context.ts';
import { runPreparedExec } from './exec.ts';

let runRoot: string;
beforeEach(() => {
  runRoot = mkdtempSync(join(tmpdir(), 'exec-'));
});
afterEach(() => rmSync(runRoot, { recursive: true }));

const process = { args: ['true'], env: [], cwd: '/', user: { uid: 0, gid: 0 }, terminal: false };
const exec = { containerId: 'c1', execId: 'healthctl-exec-1', process };
const detached = { terminal: false, detach: true, stdin: false, detachKeys: [] };

/** A context with a run directory, whose containerd does this. */
function setUp(tasks: object = {}) {
  const { ctx, clock } = createFakeContainer();
  const containerd = { ...ctx.containerd, tasks: { ...ctx.containerd.tasks, ...tasks } };
  const own: ContainerContext = { ...ctx, containerd, dirs: { ...ctx.dirs, runRoot } };
  const runDir = runDirOf(own.dirs, { namespace: 'default', id: 'c1' });
  mkdirSync(runDir, { recursive: true });
  return { ctx: own, clock, runDir };
}

test('a detached exec that a pause keeps from starting leaves nothing locked: the next one removes its note', async () => {
  const { ctx, clock, runDir } = setUp();
  const flags = constants.O_RDWR | constants.O_CREAT;
  const pause = await lockFile({ path: join(runDir, 'exec.lock'), flags, timeoutMs: 0 }, clock);
  const failed = outcomeOf(runPreparedExec(ctx, {} as UserConsole, exec, detached));
  await clock.advance(40_000);
  expect(await failed).toMatchObject({ code: 'TIMEOUT' });
  pause.release();
  const [note = ''] = readdirSync(runDir).filter((name) => name === exec.execId);
  const held = { path: join(runDir, note), flags: constants.O_RDONLY | constants.O_DIRECTORY, timeoutMs: 0 };
  (await lockFile(held, clock)).release();
});

test('an exec that cannot be started leaves no request for its end', async () => {
  let waiting: AbortSignal | undefined;
  const { ctx, runDir } = setUp({
    exec: async () => {},
    wait: (_: unknown, { signal }: { signal: AbortSignal }) => {
      waiting = signal;
      return new Promise(() => {});
    },
    start: async () => {
      throw new HealthctlError('RUNTIME', 'no such program');
    },
    deleteExec: async () => {},
  });
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const console: UserConsole = { streams, signal: new AbortController().signal, onSignal: () => () => {} };
  const how = { ...detached, detach: false };
  expect(await outcomeOf(runPreparedExec(ctx, console, exec, how))).toMatchObject({ code: 'RUNTIME' });
  expect(waiting?.aborted).toBe(true);
  expect(readdirSync(runDir).filter((name) => name.includes('healthctl-exec'))).toEqual([]);
});
