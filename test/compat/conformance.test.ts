import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bed, openBed } from '../e2e/harness.ts';
import { replay, runKit, SCENARIOS } from './replay.ts';

/** Those that need no time, and of every other kind of behaviour some; all are played by test/long/conformance.test.ts. */
const PLAYED = [
  /^(config|errors|merge|image)-/,
  /^show-(image-inspect|health-json|ps)$/,
  /^(break-and-repair|healthy-first-success|streak-reset|unhealthy-retries-one|exit-codes|restart-keeps-log)$/,
  /^(pause-and-resume|stop-and-start|events-filters|output-limits|process-user|process-capabilities)$/,
  /^(start-interval-then-interval|start-period-success-ends-grace|timeout-leaves-children|check-ends-container)$/,
];
const NAMES = SCENARIOS.filter((name) => PLAYED.some((pattern) => pattern.test(name)));

describe('conformance with Docker 28.5.2, as recorded', () => {
  let bed: Bed;
  let verdicts: ReadonlyMap<string, string>;

  beforeAll(async () => {
    bed = await openBed(['autostart = true']);
    verdicts = await replay(bed, NAMES);
  }, 600_000);
  afterAll(() => bed[Symbol.asyncDispose]());

  test('scenarios were found', () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(38);
  });

  test.each(NAMES)('%s', (name) => {
    expect(verdicts.get(name)).toMatch(/^pass /);
  });
});

test('the kit notices wrong behaviour', async () => {
  const { code, stdout, stderr } = await runKit('selfcheck.mjs', [], { PATH: process.env.PATH ?? '' });
  expect(code, stdout + stderr).toBe(0);
});
