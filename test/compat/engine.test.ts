import { expect, test } from 'vitest';
import { API_SCENARIOS, describeEngineScenarios } from './engine-replay.ts';

/** Those that take seconds; test/long/engine.test.ts plays all. */
const PLAYED = /^api\/(ping|version.*|info|unknown-routes|create.*|health-merge|images|volumes|exec|logs|attach)$/;
const NAMES = API_SCENARIOS.filter((name) => PLAYED.test(name));

describeEngineScenarios("requests to Docker's API as recorded from Docker 28.5.2", { names: NAMES, limitMs: 600_000 });

test('the pattern matches at least 12 scenarios', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(12);
});
