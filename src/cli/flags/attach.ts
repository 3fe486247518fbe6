import { HealthctlError } from '../../lib/errors.ts';
import type { AttachedStreams } from '../../record/create-request.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';

const STREAMS: readonly string[] = ['stdin', 'stdout', 'stderr'];

/** `--attach` of `run` and `create`, in Docker's words (docker/cli opts.ValidateAttach). */
export const attachOptionSpec: OptionSpec = {
  name: 'attach',
  short: 'a',
  type: 'list',
  help: 'Attach to STDIN, STDOUT or STDERR',
  check: (text) => (STREAMS.includes(text.toLowerCase()) ? undefined : 'valid streams are STDIN, STDOUT and STDERR'),
  complete: { words: STREAMS },
};

/**
 * Which streams the user gets. Without `--attach` both outputs, and the input with `-i`. Throws USAGE with Docker's
 * text.
 */
export function attachedStreamsFrom(options: ParsedOptions, detach: boolean): AttachedStreams {
  const given = options.list('attach').map((stream) => stream.toLowerCase());
  if (detach) {
    if (given.length === 0) return { stdin: false, stdout: false, stderr: false };
    throw new HealthctlError('USAGE', 'conflicting options: cannot specify both --attach and --detach');
  }
  return {
    stdin: options.bool('interactive') || given.includes('stdin'),
    stdout: given.length === 0 || given.includes('stdout'),
    stderr: given.length === 0 || given.includes('stderr'),
  };
}
