import { parseEventTime, timeReference } from '../../../events/time.ts';
import { humanDuration, localTimestamp } from '../../../go/units.ts';
import { byUrgency, checkSums, type HealthSummary, summaryOf } from '../../../history/summary.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { listFormatOption, noTruncOption } from '../../flags/format.ts';
import { type Column, renderList } from '../../format/table.ts';
import { openPast } from '../../past.ts';

/** `healthctl health`: the health of all containers over time, from the history. */
export const health: Command = {
  usage: '[OPTIONS]',
  description: 'Show the health of all containers over time: status, uptime, durations of checks, flaps and restarts.',
  options: [
    { name: 'all', short: 'a', type: 'bool', help: 'Show also containers that are gone' },
    { name: 'all-namespaces', short: 'A', type: 'bool', help: 'Show the containers of all namespaces' },
    listFormatOption,
    noTruncOption,
    {
      name: 'since',
      type: 'string',
      help: 'Period of durations, flaps and restarts: a timestamp, or relative (e.g. "42m")',
      default: '24h',
    },
  ],
  args: { min: 0, max: 0 },
  run: async (world, input) => showHealth(world, input),
};

const TABLE =
  'table {{.Name}}\t{{.Status}}\t{{.Since}}\t{{.Uptime1h}}\t{{.Uptime24h}}\t{{.Uptime7d}}\t{{.P50}}\t{{.P95}}\t{{.Flaps}}\t{{.Restarts}}';

async function showHealth(world: World, { options }: CommandInput): Promise<CommandResult> {
  const nowMs = world.clock.now();
  const sinceMs = parseEventTime(options.string('since') ?? '24h', timeReference(nowMs));
  const { reader, containers, warnings } = await openPast(world);
  const period = { fromMs: sinceMs, toMs: nowMs };
  const wanted = containers.filter(
    ({ namespace }) => options.bool('all-namespaces') || namespace === world.settings.namespace,
  );
  const sums = checkSums(reader, period);
  const rows = wanted
    .map((container) => summaryOf(container, sums.get(container.key), period))
    .filter(({ phase }) => phase !== 'gone' || options.bool('all'))
    .sort(byUrgency);
  const stdout = renderList({
    format: options.string('format'),
    quiet: false,
    defaultTable: TABLE,
    rows,
    columns: columnsOf(nowMs, options.bool('no-trunc')),
    label: () => '',
    typeName: '*formatter.healthContext',
  });
  return { stdout, warnings };
}

function columnsOf(nowMs: number, noTrunc: boolean): Readonly<Record<string, Column<HealthSummary>>> {
  return {
    Checks: { header: 'CHECKS', value: ({ checks }) => `${checks}` },
    Failures: { header: 'FAILURES', value: ({ failures }) => `${failures}` },
    Flaps: { header: 'FLAPS', value: ({ flaps }) => `${flaps}` },
    ID: { header: 'CONTAINER ID', value: ({ container: { id } }) => (noTrunc ? id : id.slice(0, 12)) },
    Image: { header: 'IMAGE', value: ({ container: { image } }) => image },
    Name: { header: 'NAME', value: ({ container: { name } }) => name },
    Namespace: { header: 'NAMESPACE', value: ({ container: { namespace } }) => namespace },
    P50: { header: 'P50', value: ({ p50Ms }) => milliseconds(p50Ms) },
    P95: { header: 'P95', value: ({ p95Ms }) => milliseconds(p95Ms) },
    Restarts: { header: 'RESTARTS', value: ({ restarts }) => `${restarts}` },
    Since: { header: 'SINCE', value: ({ sinceMs }) => `${humanDuration(Math.max(0, nowMs - sinceMs))} ago` },
    SinceTime: { header: 'SINCE', value: ({ sinceMs }) => localTimestamp(sinceMs) },
    Status: { header: 'STATUS', value: ({ phase }) => phase },
    Uptime1h: { header: 'UP 1H', value: ({ uptime }) => percent(uptime.hour) },
    Uptime24h: { header: 'UP 24H', value: ({ uptime }) => percent(uptime.day) },
    Uptime7d: { header: 'UP 7D', value: ({ uptime }) => percent(uptime.week) },
  };
}

const milliseconds = (ms: number | undefined): string => (ms === undefined ? '' : `${ms}ms`);

/** Rounded down, so that 100% means always. */
function percent(share: number | undefined): string {
  if (share === undefined) return '';
  return share === 1 ? '100%' : `${(Math.floor(share * 10_000) / 100).toFixed(2)}%`;
}
