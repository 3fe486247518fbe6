import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Tasks } from '../../src/containerd/tasks.ts';
import { CHECK_EXEC_PREFIX, consumePauseNote, endChecks } from '../../src/probe/check-execs.ts';

let scratchDir: string;
beforeEach(() => {
  scratchDir = mkdtempSync(join(tmpdir(), 'pause-note-'));
});
afterEach(() => rmSync(scratchDir, { recursive: true, force: true }));

/** A containerd without execs. */
const tasks = { findExec: async () => undefined } as unknown as Tasks;

test('a pause that ends a check leaves a note of it, once', async () => {
  mkdirSync(join(scratchDir, `${CHECK_EXEC_PREFIX}1`));
  await endChecks(tasks, { containerId: 'c', scratchDir });
  expect([consumePauseNote(scratchDir), consumePauseNote(scratchDir)]).toEqual([true, false]);
  expect(readdirSync(scratchDir)).toEqual([`${CHECK_EXEC_PREFIX}1`]);
});

test.each([
  ['a file', (path: string) => writeFileSync(path, '')],
  ['a dangling link', (path: string) => symlinkSync('nowhere', path)],
])('%s in place of the note does not stop the pause', async (_, make) => {
  mkdirSync(join(scratchDir, `${CHECK_EXEC_PREFIX}1`));
  make(join(scratchDir, 'ended-by-pause'));
  await endChecks(tasks, { containerId: 'c', scratchDir });
  expect([consumePauseNote(scratchDir), consumePauseNote(scratchDir)]).toEqual([true, false]);
});

test('a pause without a check in flight leaves no note', async () => {
  await endChecks(tasks, { containerId: 'c', scratchDir });
  expect(readdirSync(scratchDir)).toEqual([]);
  expect(consumePauseNote(scratchDir)).toBe(false);
});
