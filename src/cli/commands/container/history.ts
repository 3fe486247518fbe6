import { humanDuration } from '../../../go/units.ts';
import { type Result, tellingLine } from '../../../health/result.ts';
import { HEALTH_STATUSES } from '../../../health/state.ts';
import { HOUR_MS } from '../../../history/cell.ts';
import { namedContainers, type PastContainer } from '../../../history/containers.ts';
import { durationAt } from '../../../history/durations.ts';
import { DAY_MS } from '../../../history/files.ts';
import { changeRows, type HistoryRow, historyRows } from '../../../history/rows.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { printableLine } from '../../../lib/printable.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { listFormatOption, noTruncOption } from '../../flags/format.ts';
import { timeRangeFrom } from '../../flags/time-range.ts';
import { CONTAINER } from '../../flags/values.ts';
import { type Column, renderList } from '../../format/table.ts';
import { openPast } from '../../past.ts';

/** `healthctl history`: the results and changes of one container. */
export const history: Command = {
  usage: '[OPTIONS] CONTAINER',
  description:
    'Show the past results and changes of a container, also of one that is gone. Results are kept for a day, sums of them for a week.',
  options: [
    listFormatOption,
    noTruncOption,
    {
      name: 'since',
      type: 'string',
      help: 'Show what was after a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
      default: '24h',
    },
    {
      name: 'status',
      type: 'string',
      help: `Show only results and changes after which the status was ${HEALTH_STATUSES.join(', ')}`,
      complete: { words: [...HEALTH_STATUSES] },
      check: (text) =>
        HEALTH_STATUSES.some((status) => status === text) ? undefined : `must be one of ${HEALTH_STATUSES.join(', ')}`,
    },
    { name: 'transitions', type: 'bool', help: 'Show only changes of the status, and actions of the monitor' },
    { name: 'until', type: 'string', help: 'Show what was before a timestamp, or relative' },
  ],
  args: { min: 1, max: 1 },
  complete: [CONTAINER],
  run: async (world, input) => showHistory(world, input),
};

const TABLE = 'table {{.Time}}\t{{.Event}}\t{{.Took}}\t{{.Late}}\t{{.Text}}';
const TRANSITIONS = 'table {{.Time}}\t{{.Event}}\t{{.For}}\t{{.Text}}';

async function showHistory(world: World, { options, args: [nameOrId = ''] }: CommandInput): Promise<CommandResult> {
  const { sinceMs, untilMs } = timeRangeFrom(options, world);
  const nowMs = world.clock.now();
  const { reader, containers, warnings } = await openPast(world);
  const named = namedContainers(containers, { namespace: world.settings.namespace, nameOrId });
  if (named.length === 0)
    throw new HealthctlError('NOT_FOUND', `No such container in the history: ${nameOrId}`, {
      hint: 'see those that are there: healthctl health --all. For the layers of an image: healthctl image history NAME',
    });
  const period = { fromMs: sinceMs ?? nowMs - DAY_MS, toMs: Math.min(untilMs ?? nowMs, nowMs) };
  const isTransitions = options.bool('transitions');
  const status = options.string('status');
  const rows = isTransitions
    ? named.flatMap((container) => changeRows(container, period)).sort((a, b) => a.atMs - b.atMs)
    : historyRows(reader, named, period);
  const stdout = renderList({
    format: options.string('format'),
    quiet: false,
    defaultTable: isTransitions ? TRANSITIONS : TABLE,
    rows: rows.filter((row) => status === undefined || statusOf(row) === status),
    columns: columnsOf(options.bool('no-trunc')),
    label: () => '',
    typeName: '*formatter.historyContext',
  });
  return { stdout, warnings };
}

function statusOf(row: HistoryRow): string {
  switch (row.kind) {
    case 'result':
      return row.sample.status;
    case 'change':
      return row.span.phase;
    case 'period':
    case 'action':
      return '';
  }
}

function columnsOf(noTrunc: boolean): Readonly<Record<string, Column<HistoryRow>>> {
  const of = (value: (container: PastContainer) => string) => (row: HistoryRow) => value(row.container);
  return {
    Event: { header: 'EVENT', value: eventOf },
    ExitCode: { header: 'EXIT CODE', value: exitCodeOf },
    For: { header: 'FOR', value: (row) => (row.kind === 'change' ? lasted(row.span.toMs - row.span.fromMs) : '') },
    ID: { header: 'CONTAINER ID', value: of(({ id }) => (noTrunc ? id : id.slice(0, 12))) },
    Kind: { header: 'KIND', value: ({ kind }) => kind },
    Late: { header: 'LATE', value: lateOf },
    Name: { header: 'NAME', value: of(({ name }) => name) },
    Status: { header: 'STATUS', value: statusOf },
    Text: { header: 'OUTPUT', value: (row) => shortened(outputOf(row), noTrunc) },
    Time: { header: 'TIME', value: ({ atMs }) => timeText(atMs) },
    Took: { header: 'TOOK', value: tookOf },
  };
}

const timeText = (atMs: number): string => new Date(atMs).toISOString();

function eventOf(row: HistoryRow): string {
  switch (row.kind) {
    case 'result':
      return row.sample.exitCode === 0 ? 'ok' : `failed (${row.sample.exitCode})`;
    case 'period':
      return `${row.cell.succeeded} ok, ${row.cell.failed} failed in ${row.cell.widthMs === HOUR_MS ? '1h' : '1m'}`;
    case 'change':
      return `=> ${row.span.phase}${row.span.exitCode === undefined || row.span.phase === 'unhealthy' ? '' : ` (${row.span.exitCode})`}`;
    case 'action':
      return `${row.action.action} by the monitor`;
  }
}

function exitCodeOf(row: HistoryRow): string {
  if (row.kind === 'result') return `${row.sample.exitCode}`;
  return row.kind === 'change' && row.span.exitCode !== undefined ? `${row.span.exitCode}` : '';
}

function tookOf(row: HistoryRow): string {
  if (row.kind === 'result') return `${row.sample.durationMs}ms`;
  if (row.kind !== 'period') return '';
  const { durations } = row.cell;
  return `${durationAt(durations, 0.5)}ms, p95 ${durationAt(durations, 0.95)}ms`;
}

function lateOf(row: HistoryRow): string {
  if (row.kind === 'result') return row.sample.lagMs === undefined ? '' : `${row.sample.lagMs}ms`;
  return row.kind === 'period' ? `${row.cell.maxLagMs}ms` : '';
}

/** The output of a row, or another reason. */
function outputOf(row: HistoryRow): Pick<Result, 'exitCode' | 'output'> {
  switch (row.kind) {
    case 'result':
      return row.sample;
    case 'change':
      return { exitCode: row.span.exitCode ?? 0, output: row.span.reason };
    case 'action':
      return { exitCode: 0, output: row.action.reason };
    case 'period':
      return { exitCode: 0, output: '' };
  }
}

const MAX_TEXT = 60;

function shortened(of: Pick<Result, 'exitCode' | 'output'>, noTrunc: boolean): string {
  if (noTrunc) return printableLine(of.output.trim());
  const line = printableLine(tellingLine(of));
  return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT - 1)}…`;
}

/** `850ms`, `42 seconds`. */
const lasted = (ms: number): string => (ms < 1000 ? `${Math.round(ms)}ms` : humanDuration(ms).toLowerCase());
