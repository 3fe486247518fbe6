import type { GivenHealthConfig } from '../../health/config.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { GoStruct } from '../go-struct.ts';

const MINIMUM_NS = 1e6;

/**
 * The health config of a create request. An empty document is not the same as none: Docker then shows an empty one.
 *
 * Throws INVALID with Docker's texts (moby: daemon/container.go, validateHealthCheck).
 */
export function healthConfigIn(body: GoStruct): GivenHealthConfig | undefined {
  const given = body.struct('Healthcheck');
  if (!given) return undefined;
  const test = given.texts('Test') ?? [];
  const interval = durationIn(given, 'Interval');
  const timeout = durationIn(given, 'Timeout');
  const startPeriod = durationIn(given, 'StartPeriod');
  const startInterval = durationIn(given, 'StartInterval');
  const retries = given.int('Retries', 'int') ?? 0;
  if (retries < 0) throw new HealthctlError('INVALID', 'Retries in Healthcheck cannot be negative');
  return {
    ...(test.length === 0 ? {} : { test }),
    ...(interval === 0 ? {} : { intervalNs: interval }),
    ...(timeout === 0 ? {} : { timeoutNs: timeout }),
    ...(startPeriod === 0 ? {} : { startPeriodNs: startPeriod }),
    ...(startInterval === 0 ? {} : { startIntervalNs: startInterval }),
    ...(retries === 0 ? {} : { retries }),
  };
}

/** Nanoseconds; 0 without one. */
function durationIn(given: GoStruct, name: string): number {
  const ns = given.int(name, 'time.Duration') ?? 0;
  if (ns !== 0 && ns < MINIMUM_NS)
    throw new HealthctlError('INVALID', `${name} in Healthcheck cannot be less than 1ms`);
  return ns;
}
