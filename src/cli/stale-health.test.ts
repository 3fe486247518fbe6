import { describe, expect, test } from 'vitest';
import { aConfig, aResult, aRun, aState, T0 } from '../../test/builders/health.ts';
import { aHealth, aListed, noHealth } from '../../test/builders/listed.ts';
import type { ListedContainer } from '../container/list.ts';
import { documentOf } from '../record/document.ts';
import { type HealthAge, healthAgeOf, healthAgeOfDocument, staleHealthWarning } from './stale-health.ts';
import { momentFor } from './unchecked.ts';

const details = {
  ...{ isOurs: true, image: 'demo:1', imageId: 'sha256:00', args: ['sleep', '60'], mounts: [], networks: ['none'] },
  ...{ config: { Cmd: ['sleep', '60'] }, hostConfig: {}, endpoints: [] },
};
/** The number of clock ticks between the boot and the start of the builders' run. */
const BOOT_MS = 50_000;
const noPaths = { LogPath: '', ResolvConfPath: '', HostnamePath: '', HostsPath: '' };

const agesOf = (shown: readonly ListedContainer[], nowMs: number) =>
  shown.flatMap((one) => healthAgeOf(one, { nowMs: T0 + nowMs, bootMs: BOOT_MS + nowMs }) ?? []);
const warning = (...shown: ListedContainer[]) =>
  staleHealthWarning(agesOf(shown, 61_500), { nowMs: T0 + 61_500, whyUnmonitored: 'no monitor runs' });
const monitored = (nowMs: number, ...shown: ListedContainer[]) =>
  staleHealthWarning(agesOf(shown, nowMs), { nowMs: T0 + nowMs, whyUnmonitored: undefined });

test('names the time of the last check', () => {
  expect(warning(aListed())).toBe('no monitor runs: health is as of the last check about a minute ago');
});

test('says why no checks are made if a monitor runs but does not answer', () => {
  const whyUnmonitored = 'the monitor, process 7, does not answer';
  expect(staleHealthWarning(agesOf([aListed()], 61_500), { nowMs: T0 + 61_500, whyUnmonitored })).toBe(
    'the monitor, process 7, does not answer: health is as of the last check about a minute ago',
  );
});

test('for several containers, names the newest check', () => {
  const later = aListed({}, aHealth({ log: [aResult(1000), aResult(51_000)] }));
  expect(warning(aListed(), later)).toBe('no monitor runs: health is as of the last checks, the newest 10 seconds ago');
});

test('says that no check was made since the start; checks of an earlier run do not count', () => {
  const text = 'no monitor runs, and no check was made since the start';
  expect(warning(aListed({}, aHealth({ log: [], state: aState({ status: 'starting', run: undefined }) })))).toBe(text);
  const notOfThisRun = aHealth({ state: aState({ status: 'starting', run: undefined }) });
  expect(
    warning(aListed({ taskView: { kind: 'running', run: aRun({ startedAtMs: T0 + 30_000 }) } }, notOfThisRun)),
  ).toBe(text);
});

test('says that the results of a state were lost', () => {
  expect(warning(aListed({}, aHealth({ log: [] })))).toContain('its result was lost');
});

test('does not warn about containers without a check or a run', () => {
  expect(warning()).toBeUndefined();
  expect(warning(aListed({}, noHealth))).toBeUndefined();
  expect(warning(aListed({}, aHealth({ config: aConfig({ test: ['NONE'] }), state: undefined })))).toBeUndefined();
  expect(warning(aListed({ state: 'exited' }), aListed({ state: 'paused' }))).toBeUndefined();
});

describe('while a monitor runs', () => {
  const config = aConfig({ intervalNs: 10e9, timeoutNs: 5e9, startPeriodNs: 0 });
  const web = aListed({}, aHealth({ config, log: [aResult(1_000)] }));

  test('does not warn within interval, timeout and start limit', () => {
    expect(monitored(46_000, web)).toBeUndefined();
    expect(monitored(46_100, aListed({ state: 'paused' }, web.health))).toBeUndefined();
  });

  test('warns about an overdue check, whatever the reason', () => {
    expect(monitored(46_100, web)).toBe(
      'container web was not checked when it was due: health is as of the last check 45 seconds ago; see "healthctl daemon status"',
    );
  });

  test('warns about a container without a check since its start', () => {
    const never = aListed({}, aHealth({ config, log: [], state: aState({ status: 'starting', run: undefined }) }));
    expect(monitored(45_000, never)).toBeUndefined();
    expect(monitored(45_100, never)).toBe(
      'container web was not checked when it was due: no check was kept since its start 45 seconds ago; see "healthctl daemon status"',
    );
  });

  test('does not warn if the wall clock was set forward during a short run', () => {
    const jumped = { nowMs: T0 + 7_220_000, bootMs: BOOT_MS + 20_000 };
    const warningOf = (age: HealthAge | undefined) =>
      staleHealthWarning(age ? [age] : [], { nowMs: jumped.nowMs, whyUnmonitored: undefined });
    expect(warningOf(healthAgeOf(web, jumped))).toBeUndefined();
    const document = documentOf({ view: web.view, health: web.health, details, paths: noPaths } as never);
    expect(warningOf(healthAgeOfDocument(document, jumped, () => BOOT_MS))).toBeUndefined();
  });

  test('does not warn if it was set forward during a long run: the boot clock measures the age of the last check', () => {
    const checked = aListed({}, aHealth({ config, log: [{ ...aResult(1_000), endBootMs: BOOT_MS + 9_001_000 }] }));
    const age = healthAgeOf(checked, { nowMs: T0 + 20_000_000, bootMs: BOOT_MS + 9_005_000 });
    const warningOf = (nowMs: number) => staleHealthWarning(age ? [age] : [], { nowMs, whyUnmonitored: undefined });
    expect(warningOf(T0 + 20_000_000)).toBeUndefined();
  });

  test('does not warn a waiting client if it was set forward during the wait', () => {
    const times = { nowMs: 7_260_000, steadyMs: 60_000 };
    expect(momentFor({ lastEndMs: 50_000 }, times)).toBe(60_000);
    expect(momentFor({ lastEndMs: 7_210_000 }, times)).toBe(7_260_000);
    expect(momentFor({ lastEndMs: 50_000 }, { nowMs: 10_000, steadyMs: 60_000 })).toBe(10_000);
  });

  test('for several containers, names the one that is overdue for longest', () => {
    const db = aListed({ name: 'db' }, aHealth({ config, log: [aResult(500)] }));
    const fresh = aListed({ name: 'new' }, aHealth({ config, log: [aResult(40_000)] }));
    expect(monitored(60_000, web, db, fresh)).toBe(
      '2 containers were not checked when they were due, db for the longest time: health is as of the last check 59 seconds ago; see "healthctl daemon status"',
    );
  });

  test('gives the same warning for a document from the monitor', () => {
    const instant = { nowMs: T0 + 46_100, bootMs: BOOT_MS + 46_100 };
    const noProcess = () => undefined;
    const document = { view: web.view, health: web.health, details, paths: noPaths };
    const documentAge = healthAgeOfDocument(documentOf(document as never), instant, noProcess);
    expect(documentAge).toMatchObject({ name: 'web', fromMs: T0, lastEndMs: T0 + 1_010, wasChecked: true });
    expect(
      staleHealthWarning(documentAge ? [documentAge] : [], { nowMs: T0 + 46_100, whyUnmonitored: undefined }),
    ).toContain('45 seconds ago');
    expect(
      healthAgeOfDocument(documentOf({ ...document, health: noHealth } as never), instant, noProcess),
    ).toBeUndefined();
  });
});
