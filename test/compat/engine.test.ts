import { expect, test } from 'vitest';
import { API_SCENARIOS, describeEngineScenarios } from './engine-replay.ts';

/** Those of routes that are not there yet: exec, attach, logs, resize, update. */
const NOT_YET = /^api\/(attach|autoheal|events-health|exec|inspect-health|life-statuses|logs)$/;

describeEngineScenarios("requests to Docker's API as recorded from Docker 28.5.2", {
  names: API_SCENARIOS.filter((name) => !NOT_YET.test(name)),
  limitMs: 600_000,
});

test('the kit has scenarios', () => {
  expect(API_SCENARIOS.length).toBeGreaterThanOrEqual(23);
});
