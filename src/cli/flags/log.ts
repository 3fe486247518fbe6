import { type LogConfig, parseLogConfig } from '../../record/log-config.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';

/** The handling of a container's output, in Docker's words. */
export const logOptionSpecs: readonly OptionSpec[] = [
  {
    name: 'log-driver',
    type: 'string',
    help: 'Logging driver for the container: json-file, local or none',
    complete: { words: ['json-file', 'local', 'none'] },
  },
  {
    name: 'log-opt',
    type: 'list',
    help: 'Log driver options: max-size=SIZE, max-file=NUMBER',
    complete: { words: ['max-size=', 'max-file='] },
  },
];

/** Throws USAGE and INVALID in Docker's words. */
export function logConfigFrom(options: ParsedOptions): LogConfig {
  return parseLogConfig(options.string('log-driver') ?? '', options.list('log-opt'));
}
