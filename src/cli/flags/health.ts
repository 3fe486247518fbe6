import type { HealthFlags } from '../../health/flags.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';

/** The options of `run` and `create` that ask for a health check: the only place that reads them. None has a default here, because the image's value comes first. */
export const healthOptionSpecs: readonly OptionSpec[] = [
  { name: 'health-cmd', type: 'string', help: 'Command that checks health; a JSON array runs without a shell' },
  {
    name: 'health-interval',
    type: 'duration',
    help: 'Time from one check to the next (ms|s|m|h) (30s unless the image says)',
  },
  {
    name: 'health-max-restarts',
    type: 'int',
    help: 'Restarts in a row by --health-on-failure restart; 0 sets no limit',
  },
  {
    name: 'health-on-failure',
    type: 'string',
    help: 'What to do when the container becomes unhealthy: none, kill, stop, restart (none unless given)',
  },
  {
    name: 'health-retries',
    type: 'int',
    help: 'Failures in a row that make the container unhealthy (3 unless the image says)',
  },
  {
    name: 'health-start-interval',
    type: 'duration',
    help: 'Time from one check to the next during the start period (ms|s|m|h) (the smaller of 5s and the interval unless the image says)',
  },
  {
    name: 'health-start-period',
    type: 'duration',
    help: 'Time for the container to start in, during which failures do not count (ms|s|m|h) (0s unless the image says)',
  },
  {
    name: 'health-timeout',
    type: 'duration',
    help: 'Longest that one check may take (ms|s|m|h) (30s unless the image says)',
  },
  { name: 'no-healthcheck', type: 'bool', help: 'Switch off the health check of the image' },
];

/** The values as given; what they may be, and how they merge with the image's, is said in src/health. */
export function healthFlagsFrom(options: ParsedOptions): HealthFlags {
  return {
    ...present('cmd', options.string('health-cmd')),
    ...present('intervalNs', options.duration('health-interval')),
    ...present('timeoutNs', options.duration('health-timeout')),
    ...present('startPeriodNs', options.duration('health-start-period')),
    ...present('startIntervalNs', options.duration('health-start-interval')),
    ...present('retries', options.int('health-retries')),
    ...present('onFailure', options.string('health-on-failure')),
    ...present('maxRestarts', options.int('health-max-restarts')),
    noHealthcheck: options.bool('no-healthcheck'),
  };
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
