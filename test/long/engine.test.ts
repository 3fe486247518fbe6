import { expect, test } from 'vitest';
import { API_SCENARIOS, describeEngineScenarios } from '../compat/engine-replay.ts';

describeEngineScenarios("all requests to Docker's API recorded from Docker 28.5.2", {
  names: API_SCENARIOS,
  limitMs: 900_000,
});

test('the kit has scenarios', () => {
  expect(API_SCENARIOS.length).toBeGreaterThanOrEqual(23);
});
