import type { ContainerSummary } from '../../../daemon/api/answers.ts';
import type { Sent } from '../../../daemon/api/client.ts';
import { REQUESTS } from '../../../daemon/api/requests.ts';
import { CONTAINER_STATES, HEALTH_WORDS } from '../../../record/list-words.ts';
import type { Command, Completion, ParsedOptions } from '../../command.ts';
import type { ContainerWorld } from '../../context.ts';
import { listFormatOption, noTruncOption } from '../../flags/format.ts';
import { BOOLEAN, CONTAINER, IMAGE, LABEL, NETWORK, VOLUME } from '../../flags/values.ts';
import { openMonitor } from '../../monitor/open.ts';

const FILTERS: Completion = {
  after: {
    'ancestor=': IMAGE,
    'before=': CONTAINER,
    'exited=': {},
    'expose=': {},
    'health=': { words: HEALTH_WORDS },
    'id=': {},
    'is-task=': BOOLEAN,
    'label=': LABEL,
    'name=': CONTAINER,
    'network=': NETWORK,
    'publish=': {},
    'since=': CONTAINER,
    'status=': { words: CONTAINER_STATES },
    'volume=': VOLUME,
  },
};

/** `healthctl ps`, as Docker's. */
export const list: Command = {
  usage: '[OPTIONS]',
  options: [
    { name: 'all', short: 'a', type: 'bool', help: 'Show all containers (default shows just running)' },
    {
      name: 'all-namespaces',
      short: 'A',
      type: 'bool',
      help: 'Show containers of all namespaces of containerd',
    },
    {
      name: 'filter',
      short: 'f',
      type: 'list',
      value: 'filter',
      help: 'Filter output based on conditions provided, e.g. name=REGEXP, status=exited, label=KEY[=VALUE], health=none|starting|healthy|unhealthy',
      check: (text) => (text.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
      complete: FILTERS,
    },
    listFormatOption,
    {
      name: 'last',
      short: 'n',
      type: 'int',
      default: -1,
      help: 'Show n last created containers (includes all states)',
    },
    { name: 'latest', short: 'l', type: 'bool', help: 'Show the latest created container (includes all states)' },
    noTruncOption,
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only display container IDs' },
    { name: 'size', short: 's', type: 'bool', help: 'Display total file sizes' },
  ],
  args: { min: 0, max: 0 },
  run: async (world, input) => {
    const isForMonitor = !wantsSizes(input.options) && !namesAnother(input.options);
    const sizes = wantsSizes(input.options);
    // Load the rest while the monitor prepares its answer.
    const sent = isForMonitor && !input.options.bool('all-namespaces') ? await askMonitor(world) : undefined;
    const { runList } = await import('../../list-rows.ts');
    const ask = async (namespace: string): Promise<Sent<readonly ContainerSummary[]> | undefined> =>
      sent ?? askMonitor(world, namespace);
    return runList(world, input, { ask: isForMonitor ? ask : undefined, sizes });
  },
};

/** Measuring is expensive: only on request, or if the template needs it, and not with `--size=false`. */
function wantsSizes(options: ParsedOptions): boolean {
  if (options.given('size')) return options.bool('size');
  return !options.bool('quiet') && /\.Size\b/.test(options.string('format') ?? '');
}

/** The creation time of another container requires containerd itself. */
function namesAnother(options: ParsedOptions): boolean {
  return options.list('filter').some((filter) => /^(before|since)=/.test(filter));
}

function askMonitor(
  world: Pick<ContainerWorld, 'settings' | 'signal' | 'log' | 'clock'>,
  namespace = world.settings.namespace,
): Promise<Sent<readonly ContainerSummary[]> | undefined> {
  return openMonitor(world).send(REQUESTS.list(namespace), world.signal);
}
