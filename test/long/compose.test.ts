import { COMPOSE_SCENARIOS, describeEngineScenarios } from '../compat/engine-replay.ts';

describeEngineScenarios("Docker's compose as recorded with Docker 28.5.2: all scenarios", {
  names: COMPOSE_SCENARIOS,
  limitMs: 1_200_000,
});
