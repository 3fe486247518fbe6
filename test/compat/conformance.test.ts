import { expect, test } from 'vitest';
import { describeScenarios, runKit, SCENARIOS } from './replay.ts';

/**
 * Those that need no time, and of every other kind of behaviour some: none that starts several containers in the second until the first check
 * of one, which a busy machine cannot. All are played by test/long/conformance.test.ts.
 */
const PLAYED = [
  /^(config|errors|merge|image)-/,
  /^show-(image-inspect|health-json|ps)$/,
  /^(break-and-repair|healthy-first-success|streak-reset|unhealthy-retries-one|exit-codes|restart-keeps-log)$/,
  /^(pause-and-resume|stop-and-start|events-filters|output-(large|interleaved)|process-(env|namespaces))$/,
  /^(start-interval-then-interval|start-period-success-ends-grace|timeout-leaves-children|check-ends-container)$/,
];
const NAMES = SCENARIOS.filter((name) => PLAYED.some((pattern) => pattern.test(name)));

describeScenarios('conformance with Docker 28.5.2, as recorded', { names: NAMES, limitMs: 1_500_000 });

test('scenarios were found', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(38);
});

test('the kit notices wrong behaviour', async () => {
  const { code, stdout, stderr } = await runKit('selfcheck.mjs', [], { PATH: process.env.PATH ?? '' });
  expect(code, stdout + stderr).toBe(0);
});
