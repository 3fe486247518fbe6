import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeContainer, outcomeOf } from '../../../test/fakes/container.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { type OutputSource, sharedOutputs } from './output-source.ts';
import { type LogReader, readLogs } from './show-logs.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'logs-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const request = { tail: 'all', follow: true, timestamps: false, details: false, sinceMs: undefined } as const;

/** Follows the log of a container that runs on, and reports the signal of the wait for its end. */
function follow(write: LogReader['write']['stdout'], untilMs?: number) {
  const { ctx, clock } = createFakeContainer();
  let waiting: AbortSignal | undefined;
  const source: OutputSource = {
    ...sharedOutputs(ctx),
    untilComplete: (_, signal) =>
      new Promise((_resolve, reject) => {
        waiting = signal;
        signal.addEventListener('abort', () => reject(new HealthctlError('ABORTED', 'left')));
      }),
  };
  const reader = { write: { stdout: write, stderr: write }, signal: new AbortController().signal, source };
  const subject = { id: 'c1', dataDir, details: undefined, isLive: true, shimPid: undefined };
  const done = outcomeOf(readLogs(ctx, reader, subject, { ...request, untilMs }));
  return { clock, done, isWaiting: () => waiting?.aborted === false };
}

test('a reader that follows nothing leaves no wait for the end', async () => {
  const { done, clock, isWaiting } = follow(async () => {}, Date.parse('2027-01-01T00:00:00Z'));
  await done;
  expect([isWaiting(), clock.sleepers]).toEqual([false, 0]);
});

test('a reader that fails leaves no wait for the end, and follows no other stream', async () => {
  writeFileSync(join(dataDir, 'stdout.log'), '');
  writeFileSync(join(dataDir, 'stderr.log'), '');
  const { done, clock, isWaiting } = follow(async () => {
    throw new Error('the disk is full');
  });
  await expect.poll(isWaiting).toBe(true);
  writeFileSync(join(dataDir, 'stdout.log'), 'a');
  await clock.advance(1_000);
  expect(await done).toMatchObject({ message: 'the disk is full' });
  await clock.advance(1);
  expect([isWaiting(), clock.sleepers]).toEqual([false, 0]);
});
