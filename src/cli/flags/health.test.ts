import { expect, test } from 'vitest';
import { parseArguments } from '../parse.ts';
import { healthFlagsFrom, healthOptionSpecs } from './health.ts';

const flags = (...argv: string[]) => healthFlagsFrom(parseArguments(healthOptionSpecs, argv).options);

test('what was not given is absent', () => {
  expect(flags()).toEqual({ noHealthcheck: false });
});

test('every flag, as it was given', () => {
  expect(
    flags(
      '--health-cmd=curl -f localhost',
      '--health-interval=1m30s',
      '--health-timeout',
      '500ms',
      '--health-start-period=-1s',
      '--health-start-interval=0',
      '--health-retries=-2',
      '--no-healthcheck',
    ),
  ).toEqual({
    cmd: 'curl -f localhost',
    intervalNs: 90_000_000_000n,
    timeoutNs: 500_000_000n,
    startPeriodNs: -1_000_000_000n,
    startIntervalNs: 0n,
    retries: -2,
    noHealthcheck: true,
  });
});
