import { parseRestartPolicy, type RestartPolicy } from '../../health/restart-policy.ts';
import type { OptionSpec, ParsedOptions } from '../command.ts';

/** `run`, `create` and `update` share it. */
export const restartOptionSpec: OptionSpec = {
  name: 'restart',
  type: 'string',
  value: 'policy',
  help: 'When to start the container again after it has ended: no, on-failure[:max-retries], always, unless-stopped (no unless given)',
  complete: { words: ['no', 'on-failure', 'on-failure:', 'always', 'unless-stopped'] },
};

/** Undefined when it was not given. Throws INVALID in Docker's words. */
export function restartPolicyFrom(options: ParsedOptions): RestartPolicy | undefined {
  const text = options.string('restart');
  return text === undefined ? undefined : parseRestartPolicy(text);
}
