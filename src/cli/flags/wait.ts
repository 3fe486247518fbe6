import { HealthctlError } from '../../lib/errors.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';

/** The options of `run` and `start` that wait for health, named as those of `docker compose up`. */
export const waitOptionSpecs: readonly OptionSpec[] = [
  { name: 'wait', type: 'bool', help: 'Wait until the container is healthy, or, without a check, running' },
  {
    name: 'wait-timeout',
    type: 'int',
    value: 'int',
    help: 'Longest time that --wait waits, in seconds (no limit unless given)',
    check: (text) => (text.startsWith('-') ? 'must not be negative' : undefined),
  },
];

/** Undefined without a wait. Throws USAGE for a limit without a wait. */
export function waitWishFrom(options: ParsedOptions): { readonly timeoutMs?: number } | undefined {
  const seconds = options.int('wait-timeout');
  if (!options.bool('wait')) {
    if (seconds !== undefined) throw new HealthctlError('USAGE', '--wait-timeout needs --wait');
    return undefined;
  }
  return seconds === undefined ? {} : { timeoutMs: seconds * 1000 };
}
