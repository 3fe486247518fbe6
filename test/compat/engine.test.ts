import { expect, test } from 'vitest';
import { API_SCENARIOS, COMPOSE_SCENARIOS, describeEngineScenarios } from './engine-replay.ts';

describeEngineScenarios("requests to Docker's API as recorded from Docker 28.5.2", {
  names: API_SCENARIOS,
  limitMs: 600_000,
});

/** Each rule of `depends_on`, `up --wait`, one-off containers, names and volumes once; the others are in test/long. */
const QUICK = /\/(?:completed-fails|completed-gate|healthy-gate|unhealthy-gate|up-wait|one-off|names|volumes-down)$/;

describeEngineScenarios("Docker's compose as recorded with Docker 28.5.2", {
  names: COMPOSE_SCENARIOS.filter((name) => QUICK.test(name)),
  limitMs: 600_000,
});

test('the kit has scenarios', () => {
  expect(COMPOSE_SCENARIOS.filter((name) => QUICK.test(name))).toHaveLength(8);
  expect(API_SCENARIOS.length).toBeGreaterThanOrEqual(23);
});
