import { COMPOSE_VERSIONS } from '../../testbed/debian-program.ts';
import { COMPOSE_SCENARIOS, describeEngineScenarios } from '../compat/engine-replay.ts';

for (const version of COMPOSE_VERSIONS)
  describeEngineScenarios(`compose ${version} as recorded with Docker 28.5.2 and compose 2.40: all scenarios`, {
    names: COMPOSE_SCENARIOS,
    version,
    limitMs: 1_200_000,
  });
