import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replay, SCENARIOS } from '../compat/replay.ts';
import { type Bed, openBed } from '../e2e/harness.ts';

describe.each(['fresh', 'resident'])('all scenarios recorded from Docker 28.5.2, with %s execs', (mode) => {
  let bed: Bed;
  let verdicts: ReadonlyMap<string, string>;

  beforeAll(async () => {
    bed = await openBed(['autostart = true', `health_exec = "${mode}"`]);
    verdicts = await replay(bed, SCENARIOS);
  }, 1_000_000);
  afterAll(() => bed[Symbol.asyncDispose]());

  test('scenarios were found', () => {
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(88);
  });

  test.each(SCENARIOS)('%s', (name) => {
    expect(verdicts.get(name)).toMatch(/^pass /);
  });
});
