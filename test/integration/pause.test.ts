import { spawn } from 'node:child_process';
import { constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ContainerContext } from '../../src/container/context.ts';
import { execInContainer } from '../../src/container/exec/exec.ts';
import { pauseContainer, unpauseContainer } from '../../src/container/pause.ts';
import type { TaskStatus } from '../../src/containerd/tasks.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { runDirOf } from '../../src/lib/dirs.ts';
import { HealthctlError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { momentOf, viewOf } from '../../src/record/view.ts';
import { createFileHealthStore } from '../../src/store/file-health-store.ts';
import { lockFile } from '../../src/system/flock.ts';
import { until } from '../../testbed/until.ts';
import { aRecord, aTask } from '../builders/container.ts';

const root = mkdtempSync(join(tmpdir(), 'healthctl-pause-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function aGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

let opened = 0;
/** A container whose calls to containerd are recorded; `starting` delays the start of execs. */
function setUp(starting: Promise<void> = Promise.resolve()) {
  opened += 1;
  const dirs = {
    hostId: 'h',
    runRoot: join(root, `${opened}`),
    dataRoot: join(root, 'd'),
    nerdctlDataRoot: join(root, 'n'),
  };
  const calls: string[] = [];
  const tasks = {
    exec: async () => void calls.push('exec'),
    start: async () => {
      calls.push('start');
      await starting;
      calls.push('started');
      return 1;
    },
    pause: async () => void calls.push('pause'),
    resume: async () => void calls.push('resume'),
  };
  const ctx = {
    clock: systemClock,
    log: silentLogger,
    dirs,
    store: createFileHealthStore({
      ...{ dirs, clock: systemClock, log: silentLogger },
      writeMirror: async () => undefined,
      exists: async () => true,
    }),
    containerd: { namespace: 'ns', tasks },
  } as unknown as ContainerContext;
  const record = aRecord({
    id: 'c1',
    specJson: () =>
      '{"ociVersion":"1.0.2","process":{"args":["sh"],"cwd":"/","user":{"uid":0,"gid":0}},"root":{"path":"rootfs"}}',
  });
  const view = (status: TaskStatus) => viewOf(record, aTask({ status }), momentOf(systemClock));
  const runDir = runDirOf(dirs, { namespace: 'ns', id: 'c1' });
  mkdirSync(runDir, { recursive: true });
  return { ctx, tasks, view, calls, runDir };
}

const execRequest = {
  detach: true,
  stdin: false,
  detachKeys: [],
  args: ['true'],
  env: [],
  privileged: false,
  terminal: false,
};
const noConsole = {} as Parameters<typeof execInContainer>[1];

test('a pause waits for execs that are being started', async () => {
  const start = aGate();
  const { ctx, view, calls } = setUp(start.opened);
  const execs = [1, 2].map(() => execInContainer(ctx, noConsole, view('running'), execRequest));
  await until(() => calls.filter((call) => call === 'start').length === 2, { withinMs: 2_000 });
  const pausing = pauseContainer(ctx, view('running'));
  await systemClock.sleep(150);
  expect(calls).not.toContain('pause');
  start.open();
  await Promise.all([...execs, pausing]);
  expect(calls.at(-1)).toBe('pause');
});

test('a later exec is started after the waiting pause', async () => {
  const start = aGate();
  const { ctx, view, calls } = setUp(start.opened);
  const first = execInContainer(ctx, noConsole, view('running'), execRequest);
  await until(() => calls.includes('start'), { withinMs: 2_000 });
  const pausing = pauseContainer(ctx, view('running'));
  await systemClock.sleep(100);
  const second = execInContainer(ctx, noConsole, view('running'), execRequest);
  await systemClock.sleep(100);
  expect(calls).toEqual(['exec', 'start']);
  start.open();
  await Promise.all([first, pausing, second]);
  expect(calls).toEqual(['exec', 'start', 'started', 'pause', 'exec', 'start', 'started']);
});

test('resumes a container whose state is unknown', async () => {
  const { ctx, view, calls } = setUp();
  await unpauseContainer(ctx, view('unknown'));
  expect(calls).toEqual(['resume']);
});

test('if that fails, reports an unknown state, or the error of the shim', async () => {
  const { ctx, tasks, view } = setUp();
  const unpausing = (error: HealthctlError) => {
    tasks.resume = () => Promise.reject(error);
    return unpauseContainer(ctx, view('unknown'));
  };
  await expect(unpausing(new HealthctlError('TIMEOUT', 'no answer'))).rejects.toMatchObject({ code: 'UNKNOWN' });
  await expect(unpausing(new HealthctlError('RUNTIME', 'container not paused'))).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'Container c1 is not paused',
  });
});

test('names a process that was stopped while it holds the check lock, and how to let it continue', async () => {
  const { ctx, view, calls, runDir } = setUp();
  const path = join(runDir, 'check.lock');
  const holder = spawn('flock', ['--no-fork', path, 'sleep', '60'], { stdio: 'ignore' });
  const isHeld = () =>
    lockFile({ path, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: 0 }, systemClock).then(
      (lock) => {
        lock.release();
        return false;
      },
      () => true,
    );
  try {
    await until(isHeld);
    holder.kill('SIGSTOP');
    await expect(pauseContainer(ctx, view('running'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(`process ${holder.pid}, which checks it, does not answer`),
      hint: expect.stringContaining(`kill -CONT ${holder.pid}`),
    });
    expect(calls).toEqual([]);
  } finally {
    holder.kill('SIGKILL');
  }
});
