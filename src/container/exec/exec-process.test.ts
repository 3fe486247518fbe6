import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { aRecord, aTask } from '../../../test/builders/container.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import type { ContainerProcess } from '../../oci/types.ts';
import { momentOf, viewOf } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { type ExecProgram, execProcess, processWith, withSize } from './exec-process.ts';

const own: ContainerProcess & Record<string, unknown> = {
  terminal: true,
  user: { uid: 7, gid: 8, additionalGids: [8, 9] },
  args: ['sleep', '1'],
  env: ['PATH=/bin', 'A=1', 'B=2'],
  cwd: '/srv',
  capabilities: { bounding: ['CAP_KILL'] },
  noNewPrivileges: true,
  apparmorProfile: 'some-profile',
  oomScoreAdj: 5,
  consoleSize: { width: 1, height: 1 },
  ioPriority: { class: 'IOPRIO_CLASS_IDLE' },
};

const program = (over: Partial<ExecProgram> = {}): ExecProgram => ({
  args: ['id'],
  env: [],
  privileged: false,
  terminal: false,
  ...over,
});

describe('processWith', () => {
  test('changes only the program, and keeps all protection of the container', () => {
    const { terminal, args, consoleSize, ...kept } = processWith(own, program());
    expect({ terminal, args, consoleSize }).toEqual({ terminal: false, args: ['id'], consoleSize: undefined });
    const { terminal: _terminal, args: _args, consoleSize: _consoleSize, ...expected } = own;
    expect(kept).toEqual(expected);
  });

  test('environment: NAME=VALUE replaces a variable in place, NAME alone removes it', () => {
    expect(processWith(own, program({ env: ['B=3', 'C=', 'A'] })).env).toEqual(['PATH=/bin', 'B=3', 'C=']);
  });

  test("a terminal sets TERM, unless the container has one, and takes the size of the user's terminal", () => {
    const size = { width: 80, height: 24 };
    const process = withSize(processWith(own, program({ terminal: true })), size);
    expect(process.env).toEqual(['TERM=xterm', 'PATH=/bin', 'A=1', 'B=2']);
    expect(process.consoleSize).toEqual(size);
    expect(withSize(processWith(own, program()), size).consoleSize).toBeUndefined();
    const withTerm = { ...own, env: ['TERM=vt100'] };
    expect(processWith(withTerm, program({ terminal: true })).env).toEqual(['TERM=vt100']);
  });

  test('another user has other ids and groups', () => {
    const user = { uid: 0, gid: 0, additionalGids: [0] };
    expect(processWith(own, program({ user: 'root', cwd: '/tmp' }), user)).toMatchObject({ user, cwd: '/tmp' });
  });

  test('--privileged adds capabilities, and changes nothing else', () => {
    const { capabilities, noNewPrivileges, apparmorProfile } = processWith(own, program({ privileged: true }));
    expect(capabilities?.effective).toEqual(capabilities?.bounding);
    expect(capabilities?.permitted).toEqual(capabilities?.bounding);
    expect(noNewPrivileges).toBe(true);
    expect(apparmorProfile).toBe('some-profile');
  });
});

test('a named user is looked up in the files of the running container, without a second mount of them', async () => {
  const specJson = () => JSON.stringify({ ociVersion: '1.0.0', process: own });
  const clock = createFakeClock();
  const view = viewOf(aRecord({ id: 'c1', specJson }), aTask({ pid: process.pid }), momentOf(clock));
  const mounts = () => Promise.reject(new Error('mounted'));
  const ctx = { containerd: { snapshots: { mounts } }, clock } as unknown as ContainerContext;
  const asked = { ...program({ user: 'root' }), runDir: tmpdir() };
  expect((await execProcess(ctx, view, asked)).user).toMatchObject({ uid: 0, gid: 0 });
});
