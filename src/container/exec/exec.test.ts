import { constants, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeContainer, outcomeOf } from '../../../test/fakes/container.ts';
import { runDirOf } from '../../lib/dirs.ts';
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
const detached = { terminal: false, detach: true, stdin: false, detachKeys: [] };

test('a detached exec that a pause keeps from starting leaves nothing locked: the next one removes its note', async () => {
  const fake = createFakeContainer();
  const { clock } = fake;
  const ctx: ContainerContext = { ...fake.ctx, dirs: { ...fake.ctx.dirs, runRoot } };
  const runDir = runDirOf(ctx.dirs, { namespace: 'default', id: 'c1' });
  mkdirSync(runDir, { recursive: true });
  const flags = constants.O_RDWR | constants.O_CREAT;
  const pause = await lockFile({ path: join(runDir, 'exec.lock'), flags, timeoutMs: 0 }, clock);
  const exec = { containerId: 'c1', execId: 'healthctl-exec-1', process };
  const failed = outcomeOf(runPreparedExec(ctx, {} as UserConsole, exec, detached));
  await clock.advance(40_000);
  expect(await failed).toMatchObject({ code: 'TIMEOUT' });
  pause.release();
  const [note = ''] = readdirSync(runDir).filter((name) => name === exec.execId);
  const held = { path: join(runDir, note), flags: constants.O_RDONLY | constants.O_DIRECTORY, timeoutMs: 0 };
  (await lockFile(held, clock)).release();
});
