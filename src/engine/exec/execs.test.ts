import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import type { ExecProcess } from '../../container/exec/exec-process.ts';
import type { ExecWish } from './exec-request.ts';
import { createExecs } from './execs.ts';

const process: ExecProcess = { args: ['date'], env: [], cwd: '/', user: { uid: 0, gid: 0 }, terminal: false };
const wish: ExecWish = {
  program: { args: ['date'], env: [], privileged: false, terminal: false },
  attach: { stdin: false, stdout: true, stderr: true },
  detachKeys: [],
  hasDetachKeys: false,
  size: undefined,
};

function setUp() {
  const clock = createFakeClock();
  const execs = createExecs({ clock });
  const add = (containerId = 'c1') => execs.add({ containerId, wish, process }).id;
  return { clock, execs, add };
}

test('an exec runs once, and its exit code is kept', async () => {
  const { execs, add } = setUp();
  const id = add();
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(execs.idsOf('c1')).toEqual([id]);
  const running = execs.begin(id);
  expect(() => execs.begin(id)).toThrow(`exec command ${id} is already running`);
  running.runs(7);
  await execs.get(id).started;
  running.ended(3);
  expect(() => execs.begin(id)).toThrow(`exec command ${id} has already run`);
  expect(execs.get(id).state).toMatchObject({ kind: 'ended', pid: 7, exitCode: 3 });
  expect(execs.idsOf('c1')).toEqual([]);
});

test('who waits for the start of one that cannot be started waits no longer', async () => {
  const { execs, add } = setUp();
  const id = add();
  execs.begin(id).ended(127);
  await execs.get(id).started;
});

test('the end of a container forgets what was not started, and its removal all', () => {
  const { execs, add } = setUp();
  const [waits, ended, other] = [add(), add(), add('c2')];
  execs.begin(ended).ended(0);
  execs.containerEnded('c1');
  expect(() => execs.get(waits)).toThrow(`No such exec instance: ${waits}`);
  expect(execs.get(ended).state.kind).toBe('ended');
  execs.containerRemoved('c1');
  expect(() => execs.get(ended)).toThrow('No such exec instance');
  expect(execs.get(other).id).toBe(other);
});

test('ended ones are kept for ten minutes, and no more than some thousand', async () => {
  const { clock, execs, add } = setUp();
  const [first, running] = [add(), add()];
  execs.begin(first).ended(0);
  execs.begin(running).runs(7);
  await clock.advance(10 * 60_000);
  add();
  expect(execs.get(first).state.kind).toBe('ended');
  await clock.advance(1);
  add();
  expect(() => execs.get(first)).toThrow('No such exec instance');
  for (let count = 0; count < 5_000; count += 1) add();
  expect(execs.idsOf('c1')).toHaveLength(4_096);
  expect(execs.get(running).state.kind).toBe('running');
});
