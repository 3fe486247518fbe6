import type { Command, CommandInput, CommandResult } from '../../command.ts';
import type { ContainerWorld } from '../../context.ts';
import { RUNNING } from '../../flags/values.ts';
import { checkByHand, recordedCheck } from '../../monitor/check.ts';

/**
 * `healthctl healthcheck run`, like Podman's: silent if the check passed, else the container's status and exit 1; 125
 * if it could not be run.
 */
export const run: Command = {
  usage: '[OPTIONS] CONTAINER',
  options: [{ name: 'ignore-result', type: 'bool', help: 'Exit with 0 although the check failed' }],
  args: { min: 1, max: 1 },
  complete: [RUNNING],
  failureCode: 125,
  run: (world, input) => runOnce(world, input),
};

async function runOnce(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const [name = ''] = args;
  const { result, state } = await recordedCheck(name, () => checkByHand(world, name));
  if (result.exitCode === 0) return {};
  return { stdout: `${state.status}\n`, exitCode: options.bool('ignore-result') ? 0 : 1 };
}
