import { expect, test } from 'vitest';
import { aConfig, aResult, aRun, aState, T0 } from '../../test/builders/health.ts';
import { aHealth, aListed, noHealth } from '../../test/builders/listed.ts';
import { staleHealthWarning } from './stale-health.ts';

const warning = (...shown: Parameters<typeof staleHealthWarning>[0]) => staleHealthWarning(shown, T0 + 61_500);

test('the time of the last check', () => {
  expect(warning(aListed())).toBe('no monitor runs: health is as of the last check about a minute ago');
});

test('of several, that of the newest', () => {
  const later = aListed({}, aHealth({ log: [aResult(1000), aResult(51_000)] }));
  expect(warning(aListed(), later)).toBe('no monitor runs: health is as of the last checks, the newest 10 seconds ago');
});

test('no check since the start: those of an earlier run do not count', () => {
  const text = 'no monitor runs, and no check was made since the start';
  expect(warning(aListed({}, aHealth({ log: [], state: aState({ status: 'starting', run: undefined }) })))).toBe(text);
  const notOfThisRun = aHealth({ state: aState({ status: 'starting', run: undefined }) });
  expect(
    warning(aListed({ taskView: { kind: 'running', run: aRun({ startedAtMs: T0 + 30_000 }) } }, notOfThisRun)),
  ).toBe(text);
});

test('a state whose results are lost', () => {
  expect(warning(aListed({}, aHealth({ log: [] })))).toContain('its result is lost');
});

test('nothing to say of what is not checked, or does not run', () => {
  expect(warning()).toBeUndefined();
  expect(warning(aListed({}, noHealth))).toBeUndefined();
  expect(warning(aListed({}, aHealth({ config: aConfig({ test: ['NONE'] }), state: undefined })))).toBeUndefined();
  expect(warning(aListed({ state: 'exited' }), aListed({ state: 'paused' }))).toBeUndefined();
});
