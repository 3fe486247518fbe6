import { createVolume } from '../../../container/volumes/create.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { parseLabel } from '../../../oci/parse.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { checkBy } from '../../flags/check-by.ts';

/** `healthctl volume create`: Docker's. */
export const create: Command = {
  usage: '[OPTIONS] [VOLUME]',
  options: [
    {
      name: 'driver',
      short: 'd',
      type: 'string',
      help: 'Specify volume driver name',
      default: 'local',
      complete: { words: ['local'] },
    },
    { name: 'label', type: 'list', help: 'Set metadata for a volume', check: checkBy(parseLabel) },
    {
      name: 'opt',
      short: 'o',
      type: 'list',
      help: 'Set driver specific options: type, device, o',
      check: checkBy(parseLabel),
    },
    { name: 'name', type: 'string', help: 'Specify volume name', hidden: true },
  ],
  args: { min: 0, max: 1 },
  run: (world, input) => runCreate(world, input),
};

/** An existing volume counts as created. */
async function runCreate(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const [positional] = args;
  const flag = options.string('name');
  if (flag && positional) {
    throw new HealthctlError(
      'INVALID',
      'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
    );
  }
  const given = positional ?? (flag === '' ? undefined : flag);
  const ctx = await openContainers(world);
  const { name } = await createVolume(ctx, {
    name: given,
    driver: options.string('driver') ?? 'local',
    labels: Object.fromEntries(options.list('label').map(parseLabel)),
    options: Object.fromEntries(options.list('opt').map(parseLabel)),
    signal: world.signal,
  });
  return { stdout: `${name}\n` };
}
