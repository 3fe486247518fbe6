import { resolveView } from '../../../container/resolve.ts';
import { topContainer } from '../../../container/top.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { printableLine } from '../../../lib/printable.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult, OptionSpec } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { LIST_FORMAT, UP } from '../../flags/values.ts';
import { alignColumns } from '../../format/columns.ts';
import { SORTS } from '../../top/state.ts';

/** docker/cli, container/top.go. */
const MIN_WIDTH = 20;

/** Of the screen. */
const options: readonly OptionSpec[] = [
  { name: 'all-namespaces', short: 'A', type: 'bool', help: 'Show containers of all namespaces of containerd' },
  {
    name: 'filter',
    short: 'f',
    type: 'list',
    value: 'filter',
    help: 'Show only containers that match, e.g. name=REGEXP, health=unhealthy, label=KEY[=VALUE], as in ps',
    check: (text) => (text.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
  },
  {
    name: 'format',
    type: 'string',
    help: "Print lines: 'table', 'table TEMPLATE', 'json', or a Go template",
    complete: LIST_FORMAT,
  },
  {
    name: 'interval',
    type: 'duration',
    default: '2s',
    help: 'Time between two looks. Without a terminal: print lines again and again',
  },
  { name: 'once', type: 'bool', help: 'Print lines once, also on a terminal' },
  {
    name: 'sort',
    type: 'string',
    default: 'status',
    help: `Column to sort by at first: ${SORTS.join(', ')}`,
    complete: { words: SORTS },
    check: (text) => (SORTS.some((sort) => sort === text) ? undefined : `must be one of ${SORTS.join(', ')}`),
  },
];

/** `healthctl top CONTAINER`: Docker's. `healthctl top`: the health of all containers, live. */
export const top: Command = {
  usage: '[OPTIONS] | CONTAINER [ps OPTIONS]',
  description: `Without a container: show the health of all containers live, with their last
results, CPU and memory. The key ? lists the keys, q quits. Without a terminal,
it prints lines once.

With a container: show its processes, by the host's ps and its options.`,
  options,
  args: { min: 0 },
  complete: [UP],
  optionsEndAtArgument: true,
  run: async (world, input) => {
    if (input.args.length > 0) return showProcesses(world, input);
    const { runTop } = await import('../../top/run.ts');
    return runTop(world, input);
  },
};

async function showProcesses(world: World, input: CommandInput): Promise<CommandResult> {
  const [nameOrId = '', ...psOptions] = input.args;
  const given = options.find(({ name }) => input.options.given(name));
  if (given) throw new HealthctlError('USAGE', `--${given.name} is for top without a container`);
  const ctx = await openContainers(world);
  const view = await resolveView(ctx, nameOrId, world);
  const { titles, rows } = await topContainer(ctx, view, { psOptions, signal: world.signal });
  // A process chooses its name and arguments.
  const lines = [titles, ...rows].map((cells) => `${cells.map(printableLine).join('\t')}\n`);
  return { stdout: alignColumns(lines.join(''), MIN_WIDTH) };
}
