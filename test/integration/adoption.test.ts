import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ContainerContext } from '../../src/container/context.ts';
import type { StoredHealth } from '../../src/health/state.ts';
import { createAdoption, yieldToNerdctl } from '../../src/monitor/duties/adoption.ts';
import type { KnownContainer } from '../../src/monitor/host-model.ts';
import { aConfig, aResult, aRun, aState } from '../builders/health.ts';
import { createFakeClock } from '../fakes/clock.ts';

const unitsDir = mkdtempSync(join(tmpdir(), 'healthctl-units-'));
const clock = createFakeClock();
/** The unit file of a timer that was made `agoMs` ago. */
function makeTimer(id: string, agoMs: number): void {
  const path = join(unitsDir, `${id}.timer`);
  writeFileSync(path, '');
  const madeS = (clock.now() - agoMs) / 1000;
  utimesSync(path, madeS, madeS);
}
makeTimer('timed', 60_000);
makeTimer('fresh', 500);
afterAll(() => rmSync(unitsDir, { recursive: true, force: true }));

const OURS = { 'healthctl/owner': '0.1.0', 'nerdctl/name': 'web' };
const NERDCTLS = { 'nerdctl/name': 'web', 'nerdctl/state-dir': '/nerdctl' };
const NOTHING: StoredHealth = { log: [], state: undefined };
const config = aConfig({ intervalNs: 10e9, timeoutNs: 5e9 });
const aContainer = (id: string, labels: Readonly<Record<string, string>>, stored = NOTHING) =>
  ({ namespace: 'default', id, record: { labels }, run: aRun(), config, stored }) as unknown as KnownContainer;

const isNerdctls = ({ record }: KnownContainer) => record.labels['nerdctl/state-dir'] === '/nerdctl';

function adoption(adopt: 'auto' | 'always' | 'never') {
  const [logged, ended]: [string[], string[]] = [[], []];
  const log = { info: (text: string) => void logged.push(text), warn: (text: string) => void logged.push(text) };
  const endTimer = async ({ id }: KnownContainer) => {
    ended.push(id);
    return true;
  };
  return { ...createAdoption({ adopt, clock, log, unitsDir, isNerdctls, endTimer }), logged, ended };
}

test.each([
  ['auto', NERDCTLS, [true, false]],
  ['auto', { 'nerdctl/name': 'web', 'nerdctl/state-dir': '/x' }, [false, false]],
  ['always', NERDCTLS, [false, false]],
  ['never', NERDCTLS, [true, true]],
  ['auto', {}, [false, false]],
  ['never', {}, [false, false]],
  ['never', OURS, [false, false]],
] as const)(
  '%s, labels %j: whether nerdctl checks the container, with its timer and without',
  (adopt, labels, expected) => {
    const { isCheckedElsewhere } = adoption(adopt);
    expect(['timed', 'other'].map((id) => isCheckedElsewhere(aContainer(id, labels)))).toEqual(expected);
  },
);

test("ends nerdctl's timer of a container of ours, so that only one tool checks it", async () => {
  const { isCheckedElsewhere, logged, ended } = adoption('auto');
  for (const id of ['timed', 'timed', 'other']) isCheckedElsewhere(aContainer(id, OURS));
  await Promise.resolve();
  expect(ended).toEqual(['timed']);
  expect(logged).toEqual([
    'container default/timed: ended the systemd timer timed.timer, by which nerdctl checked it too',
  ]);
});

test('keeps a timer that nerdctl start has just made, until its service was started', () => {
  const { isCheckedElsewhere, ended } = adoption('auto');
  isCheckedElsewhere(aContainer('fresh', OURS));
  expect(ended).toEqual([]);
});

test('does not rely on a timer of nerdctl that brings no results, until it does', async () => {
  const { isCheckedElsewhere, logged } = adoption('auto');
  const nerdctls = (atMs: number): StoredHealth => ({ log: [aResult(atMs)], state: aState({ run: undefined }) });
  const ours: StoredHealth = { log: [aResult(99_000)], state: aState() };
  const dues = async (stored: StoredHealth, count: number) => {
    const decisions: boolean[] = [];
    for (let due = 0; due < count; due += 1) {
      await clock.advance(10_000);
      decisions.push(isCheckedElsewhere(aContainer('timed', NERDCTLS, stored)));
    }
    return decisions;
  };
  expect(await dues(nerdctls(0), 6)).toEqual([true, true, true, true, true, false]);
  expect(await dues(ours, 2)).toEqual([false, false]);
  expect(logged).toEqual([
    "container default/timed: nerdctl's timer timed.timer has made no check for 50 s; checking it until it does",
  ]);
  expect(await dues(nerdctls(100_000), 5)).toEqual([true, true, true, true, true]);
  await clock.advance(3_600_000); // paused, so nothing was checked
  expect(await dues(nerdctls(200_000), 1)).toEqual([true]);
});

test("healthctl's timer yields to nerdctl's on nerdctl's containers, and ends it on ours", async () => {
  makeTimer('fresh', 500);
  const ended: string[] = [];
  const ctx = {
    clock,
    containerd: { namespace: 'default' },
    dirs: { hostId: 'host', runRoot: '/nonexistent', nerdctlDataRoot: '/nonexistent' },
    endNerdctlTimer: async (id: string) => ended.push(id) > 0,
  } as unknown as ContainerContext;
  const theirs = (id: string) => ({ 'nerdctl/state-dir': `/nonexistent/host/containers/default/${id}` });
  const yields = (id: string, labels: Readonly<Record<string, string>>, adopt: 'auto' | 'always' = 'auto') =>
    yieldToNerdctl(ctx, { id, labels }, { adopt, unitsDir });
  expect(await yields('timed', theirs('timed'))).toBe(true);
  expect(await yields('timed', theirs('timed'), 'always')).toBe(false);
  expect(await yields('other', theirs('other'))).toBe(false);
  expect(ended).toEqual([]);
  for (const id of ['timed', 'fresh', 'other']) expect(await yields(id, OURS)).toBe(false);
  expect(ended).toEqual(['timed']);
});
