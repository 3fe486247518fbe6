import { expect, test } from 'vitest';
import { describeScenarios, runKit, SCENARIOS } from './replay.ts';

/**
 * The scenarios that need no time, and some of each other kind. Not those that start several containers before the
 * first check of one, within a second, which a busy machine cannot do. test/long/conformance.test.ts plays all.
 */
const PLAYED = [
  /^(config|errors|merge|image)-/,
  /^show-(image-inspect|health-json|ps)$/,
  /^(break-and-repair|healthy-first-success|streak-reset|unhealthy-retries-one|exit-codes|restart-keeps-log)$/,
  /^(pause-and-resume|stop-and-start|events-filters|output-(large|interleaved)|process-(env|namespaces))$/,
  /^(start-interval-then-interval|start-period-success-ends-grace|timeout-leaves-children|check-ends-container)$/,
];
const NAMES = SCENARIOS.filter((name) => PLAYED.some((pattern) => pattern.test(name)));

describeScenarios('conformance with the recordings of Docker 28.5.2', { names: NAMES, limitMs: 1_500_000 });

test('the patterns match at least 38 scenarios', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(38);
});

test('the kit notices wrong behaviour', async () => {
  const { code, stdout, stderr } = await runKit('selfcheck.mjs', [], { PATH: process.env.PATH ?? '' });
  expect(code, stdout + stderr).toBe(0);
});
