import { expect, test } from 'vitest';
import { dockerProgram } from '../../testbed/debian-program.ts';
import { describeClientScenarios } from './client-replay.ts';
import { SCENARIOS } from './replay.ts';

/** Those that take seconds; test/long/docker-clients.test.ts plays all, with four versions. */
const PLAYED = /^(config-.*|errors-.*|healthy-first-success|events-filters)$/;
const NAMES = SCENARIOS.filter((name) => PLAYED.test(name));

describeClientScenarios("docker 28 on the monitor's socket, as recorded with Docker 28.5.2", {
  client: { version: '28', program: () => dockerProgram('sid') },
  names: NAMES,
  limitMs: 600_000,
});

test('the pattern matches at least 13 scenarios', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(13);
});
