import { parseEventTime, timeReference } from '../../events/time.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { World } from '../../world.ts';
import type { ParsedOptions } from '../command.ts';

/** A stretch of time, milliseconds since the epoch. */
export interface TimeRangeOptions {
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
}

/** Reads `--since` and `--until`. Throws INVALID in Docker's words. */
export function timeRangeFrom(options: ParsedOptions, { clock }: Pick<World, 'clock'>): TimeRangeOptions {
  const reference = timeReference(clock.now());
  const timeOf = (name: string): number | undefined => {
    const text = options.string(name);
    return text ? parseEventTime(text, reference) : undefined;
  };
  const [sinceMs, untilMs] = [timeOf('since'), timeOf('until')];
  if (untilMs !== undefined && untilMs < (sinceMs ?? 0)) {
    throw new HealthctlError(
      'INVALID',
      `\`since\` time (${options.string('since')}) cannot be after \`until\` time (${options.string('until')})`,
    );
  }
  return { sinceMs, untilMs };
}
