import { HealthctlError } from '../lib/errors.ts';
import { type GivenHealthConfig, MAXIMUM_DURATION_NS, MINIMUM_DURATION_NS, ON_FAILURE } from './config.ts';

/** The health flags as typed, parsed. Durations in nanoseconds. */
export interface HealthFlags {
  /** `--health-cmd`. Empty counts as not given, as in Docker. */
  readonly cmd?: string;
  readonly intervalNs?: bigint;
  readonly timeoutNs?: bigint;
  readonly startPeriodNs?: bigint;
  readonly startIntervalNs?: bigint;
  readonly retries?: number;
  /** `--health-on-failure`. */
  readonly onFailure?: string;
  /** `--health-max-restarts`. */
  readonly maxRestarts?: number;
  readonly noHealthcheck: boolean;
}

/** Docker's CLI answers 125; what only its daemon refuses ends `create` with 1 and `run` with 125 (docker/cli: cli/command/container/{create,run}.go). */
const CLIENT_REFUSES = 125;

/**
 * Validates the flags and says what they ask for; undefined when they ask for nothing.
 *
 * Texts and order are Docker's: first its CLI's (docker/cli: cli/command/container/opts.go), then its daemon's (moby: daemon/container.go
 * validateHealthCheck). Throws INVALID.
 */
export function healthConfigFromFlags(flags: HealthFlags): GivenHealthConfig | undefined {
  const given =
    flags.cmd || flags.intervalNs || flags.timeoutNs || flags.startPeriodNs || flags.startIntervalNs || flags.retries;
  const isActing = flags.onFailure !== undefined || flags.maxRestarts !== undefined;
  if (flags.noHealthcheck) {
    if (given || isActing)
      throw new HealthctlError('INVALID', '--no-healthcheck conflicts with --health-* options', {
        exitCode: CLIENT_REFUSES,
      });
    return { test: ['NONE'] };
  }
  if (!given && !isActing) return undefined;
  refuseNegative('--health-interval', flags.intervalNs);
  refuseNegative('--health-timeout', flags.timeoutNs);
  refuseNegative('--health-retries', flags.retries);
  refuseNegative('--health-start-period', flags.startPeriodNs);
  refuseNegative('--health-start-interval', flags.startIntervalNs);
  refuseTiny('Interval', flags.intervalNs);
  refuseTiny('Timeout', flags.timeoutNs);
  refuseTiny('StartPeriod', flags.startPeriodNs);
  refuseTiny('StartInterval', flags.startIntervalNs);
  refuseNegative('--health-max-restarts', flags.maxRestarts);
  const onFailure = ON_FAILURE.find((known) => known === flags.onFailure);
  if (flags.onFailure !== undefined && !onFailure)
    throw new HealthctlError('INVALID', `--health-on-failure must be one of ${ON_FAILURE.join(', ')}`, {
      exitCode: CLIENT_REFUSES,
    });
  return {
    ...(flags.cmd ? { test: testFromCommand(flags.cmd) } : {}),
    ...durationField('intervalNs', flags.intervalNs),
    ...durationField('timeoutNs', flags.timeoutNs),
    ...durationField('startPeriodNs', flags.startPeriodNs),
    ...durationField('startIntervalNs', flags.startIntervalNs),
    ...(flags.retries ? { retries: flags.retries } : {}),
    ...(onFailure ? { onFailure } : {}),
    ...(flags.maxRestarts === undefined ? {} : { maxRestarts: flags.maxRestarts }),
  };
}

/** A JSON array of strings is an exec form, Podman's habit, because Docker's command line has none; everything else is a text for the shell. */
export function testFromCommand(text: string): readonly string[] {
  if (text.trimStart().startsWith('[')) {
    try {
      const value: unknown = JSON.parse(text);
      if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return ['CMD', ...value];
    } catch {
      // `[ -f /ready ]` is a shell's test command, not JSON
    }
  }
  return ['CMD-SHELL', text];
}

function refuseNegative(flag: string, value: bigint | number | undefined): void {
  if (value !== undefined && value < 0)
    throw new HealthctlError('INVALID', `${flag} cannot be negative`, { exitCode: CLIENT_REFUSES });
}

function refuseTiny(field: string, value: bigint | undefined): void {
  if (value && value < MINIMUM_DURATION_NS)
    throw new HealthctlError('INVALID', `${field} in Healthcheck cannot be less than 1ms`);
}

function durationField(
  name: 'intervalNs' | 'timeoutNs' | 'startPeriodNs' | 'startIntervalNs',
  value: bigint | undefined,
): GivenHealthConfig {
  return value ? { [name]: Math.min(Number(value), MAXIMUM_DURATION_NS) } : {};
}
