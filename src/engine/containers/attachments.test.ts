import { expect, test } from 'vitest';
import type { ReadyTask } from '../../container/start.ts';
import { createAttachments } from './attachments.ts';

const TASK: ReadyTask = { pid: 7, stdio: { stdin: '', stdout: '/o', stderr: '/e', terminal: false } };
const never = new AbortController().signal;

/** Waits as a client, and records what it was connected to. */
function waits(attachments: ReturnType<typeof createAttachments>, signal = never) {
  const seen: (number | undefined)[] = [];
  const end = attachments.next('a', async (task) => void seen.push(task?.pid), signal);
  return { seen, end };
}

test('clients are connected between the creation of the task and its start', async () => {
  const attachments = createAttachments();
  const [first, second] = [waits(attachments), waits(attachments)];
  const steps: string[] = [];
  await attachments.start('a', async (beforeStart) => {
    await beforeStart?.(TASK);
    steps.push(`${first.seen} ${second.seen}`);
  });
  expect(steps).toEqual(['7 7']);
  await Promise.all([first.end, second.end]);
});

test('a start for which nobody waits is not told to wait for anybody', async () => {
  const attachments = createAttachments();
  void attachments.next('b', async () => undefined, never);
  await attachments.start('a', async (beforeStart) => expect(beforeStart).toBeUndefined());
});

test('who comes while a container is being started is connected to what runs', async () => {
  const attachments = createAttachments();
  let late: ReturnType<typeof waits> | undefined;
  await attachments.start('a', async () => {
    late = waits(attachments);
  });
  expect(late?.seen).toEqual([undefined]);
});

test('a failed start ends the wait, before and after the connection', async () => {
  const attachments = createAttachments();
  const { seen, end } = waits(attachments);
  const failing = attachments.start('a', async () => {
    throw new Error('no such volume');
  });
  await expect(failing).rejects.toThrow('no such volume');
  expect(await end).toBeUndefined();
  expect(seen).toEqual([]);
});

test('a client that cannot be connected does not fail the start', async () => {
  const attachments = createAttachments();
  const broken = attachments.next('a', () => Promise.reject(new Error('no file')), never);
  broken.catch(() => undefined);
  await attachments.start('a', async (beforeStart) => beforeStart?.(TASK));
  await expect(broken).rejects.toThrow('no file');
});

test('a client that leaves, and a container that goes, end the wait', async () => {
  const attachments = createAttachments();
  const leaves = new AbortController();
  const [left, gone, late] = [waits(attachments, leaves.signal), waits(attachments), waits(attachments)];
  leaves.abort();
  expect(await left.end).toBeUndefined();
  attachments.gone('a');
  await Promise.all([gone.end, late.end]);
  expect(await waits(attachments, leaves.signal).end).toBeUndefined();
  await attachments.start('a', async (beforeStart) => expect(beforeStart).toBeUndefined());
  expect(left.seen.length + gone.seen.length + late.seen.length).toBe(0);
});

test('a start by another process', async () => {
  const attachments = createAttachments();
  const { seen, end } = waits(attachments);
  await attachments.started('a');
  await end;
  expect(seen).toEqual([undefined]);
});
