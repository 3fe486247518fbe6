import { expect, test } from 'vitest';
import { describeScenarios, SCENARIOS } from '../compat/replay.ts';

for (const mode of ['fresh', 'resident'])
  describeScenarios(`all scenarios recorded from Docker 28.5.2, with ${mode} execs`, {
    names: SCENARIOS,
    config: [`health_exec = "${mode}"`],
    limitMs: 2_500_000,
  });

test('the kit has scenarios', () => {
  expect(SCENARIOS.length).toBeGreaterThanOrEqual(88);
});
