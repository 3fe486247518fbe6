import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aView } from '../../test/builders/listed.ts';
import { createFakeClock } from '../../test/fakes/clock.ts';
import { dataDirOf } from '../lib/dirs.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { ContainerView } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { noteStartFailure, withEndNotes } from './start-failure-note.ts';

let dataRoot: string;
beforeEach(() => {
  dataRoot = mkdtempSync(join(tmpdir(), 'start-failure-'));
});
afterEach(() => rmSync(dataRoot, { recursive: true, force: true }));

const FAILED_AT_MS = Date.parse('2026-01-01T00:00:00Z');
const HOUR_MS = 3_600_000;

/** What is shown of a container that ended, failed to start, and now has another time of its end. */
function shownAfter(endBeforeMs: number, endNowMs = endBeforeMs) {
  const dirs = { hostId: 'host', runRoot: dataRoot, dataRoot, nerdctlDataRoot: dataRoot };
  const clock = createFakeClock(FAILED_AT_MS);
  const namespaceDirs = { dirs, namespace: 'ns' };
  const ctx = { clock, dirs, containerd: { namespace: 'ns' } } as unknown as ContainerContext;
  const ended = (atMs: number): ContainerView => aView({ state: 'exited', task: undefined, exit: { code: 4, atMs } });
  mkdirSync(dataDirOf(dirs, { namespace: 'ns', id: aView().record.id }), { recursive: true });
  noteStartFailure(ctx, ended(endBeforeMs), new HealthctlError('CONFLICT', 'the port is taken'));
  const { startFailure, exit } = withEndNotes(namespaceDirs, ended(endNowMs));
  return { error: startFailure?.error, code: exit?.code };
}

test.each([
  ['an earlier end', -HOUR_MS, -HOUR_MS, { error: 'the port is taken', code: 128 }],
  ['an earlier end, with the clock set back since', HOUR_MS + 0.4, HOUR_MS, { error: 'the port is taken', code: 128 }],
  ['a later end, after a start by another tool', -HOUR_MS, HOUR_MS, { error: undefined, code: 4 }],
])('shows the failure of a start, or not, beside %s', (_, before, now, shown) => {
  expect(shownAfter(FAILED_AT_MS + before, FAILED_AT_MS + now)).toEqual(shown);
});
