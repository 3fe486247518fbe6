import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Tasks } from '../../src/containerd/tasks.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { HealthctlError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createExecProber } from '../../src/probe/exec.ts';

let scratchDir: string;
beforeEach(() => {
  scratchDir = mkdtempSync(join(tmpdir(), 'healthctl-exec-'));
});
afterEach(() => rmSync(scratchDir, { recursive: true, force: true }));

interface Script {
  /** The output of the process at its end. */
  readonly output?: string;
  /** The error of the first call to delete the exec. */
  readonly firstDelete?: HealthctlError;
  /** How long after the start the output stays open. */
  readonly openMs?: number;
  /** The error of the call to create the exec, which the shim may still create. */
  readonly execFails?: HealthctlError;
}

/**
 * A containerd whose processes end with 3 as soon as they are started.
 * @returns its calls, in order
 */
function containerdWith({ output = '', firstDelete, openMs = 0, execFails }: Script): {
  tasks: Tasks;
  calls: string[];
} {
  const calls: string[] = [];
  let writer = 0;
  let failure = firstDelete;
  const exit = { status: 3, atMs: 0 };
  const tasks: Partial<Tasks> = {
    exec: async ({ stdout }) => {
      calls.push('exec');
      if (execFails) throw execFails;
      writer = openSync(stdout, constants.O_WRONLY);
    },
    start: async () => {
      calls.push('start');
      writeSync(writer, output);
      if (openMs === 0) closeSync(writer);
      else setTimeout(() => closeSync(writer), openMs);
      return spawnSync('true').pid;
    },
    wait: async () => {
      calls.push('wait');
      return exit;
    },
    deleteExec: async () => {
      calls.push('delete');
      const error = failure;
      failure = undefined;
      if (error) throw error;
      return exit;
    },
  };
  return { tasks: tasks as Tasks, calls };
}

async function probe(script: Script) {
  const { tasks, calls } = containerdWith(script);
  const prober = createExecProber({ tasks, clock, log: silentLogger });
  const target = { containerId: 'c', runId: 'r', scratchDir, timeoutNs: 5e9, processJson: '{}' };
  const { outcome } = await prober.probe(target, { kind: 'exec', args: ['true'] });
  return { outcome, calls: calls.join(' ') };
}

test('a check that has ended when its start returns makes three calls', async () => {
  expect(await probe({ output: 'hi\n' })).toEqual({
    outcome: { kind: 'exited', code: 3, output: 'hi\n' },
    calls: 'exec start delete',
  });
  expect(readdirSync(scratchDir)).toEqual([]);
});

test('waits for the end if the shim has not noticed it', async () => {
  const firstDelete = new HealthctlError('CONFLICT', 'cannot delete a running process');
  expect(await probe({ output: 'hi\n', firstDelete })).toEqual({
    outcome: { kind: 'exited', code: 3, output: 'hi\n' },
    calls: 'exec start delete wait delete',
  });
  expect(readdirSync(scratchDir)).toEqual([]);
});

test('while the output is still open, waits for the end before it deletes the exec', async () => {
  expect(await probe({ output: 'hi\n', openMs: 50 })).toEqual({
    outcome: { kind: 'exited', code: 3, output: 'hi\n' },
    calls: 'exec start wait delete',
  });
});

test('remembers an exec whose creation was cancelled, while it cannot be deleted', async () => {
  const execFails = new HealthctlError('ABORTED', 'exec was cancelled');
  await expect(probe({ execFails, firstDelete: execFails })).rejects.toThrow(execFails);
  expect(readdirSync(scratchDir)).toEqual([expect.stringMatching(/^healthctl-check-/)]);
});
