import { writerTo } from '../../container/console/user-console.ts';
import { localTimestamp } from '../../go/units.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { World } from '../../world.ts';
import type { CommandResult } from '../command.ts';
import { type Column, renderList } from '../format/table.ts';
import { barText, type Marks, nextOf, statusOf } from './columns.ts';
import type { Looker } from './look.ts';
import type { Beat, Look, TopRow, Usage } from './model.ts';
import { initialState, listedRows, type Sort } from './state.ts';
import { shareText, shortSpan, sizeText, tookText } from './texts.ts';
import { UsageMeter } from './usage.ts';

export interface SnapshotOptions {
  readonly looker: Looker;
  readonly first: Look;
  readonly marks: Marks;
  readonly sort: Sort;
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly format: string | undefined;
  /** Time between two snapshots; undefined: there is only one. */
  readonly everyMs: number | undefined;
}

/** CPU is measured over this time. */
const MEASURE_MS = 500;

const TABLE =
  '{{.Name}}\t{{.Status}}\t{{.Since}}\t{{.Streak}}\t{{.Next}}\t{{.Took}}\t{{.CPU}}\t{{.Memory}}\t{{.Results}}';

/** Lines in place of a screen: once, or again and again until a signal comes. */
export async function runSnapshots(world: World, options: SnapshotOptions): Promise<CommandResult> {
  const { clock, signal, streams } = world;
  const { looker, first, everyMs } = options;
  const meter = new UsageMeter(clock);
  meter.measure(first.rows);
  await clock.sleep(MEASURE_MS, signal);
  const stdout = textOf(options, { look: first, usage: meter.measure(first.rows), nowMs: clock.now() });
  if (everyMs === undefined) return { stdout, warnings: first.checkers.isBad ? [first.checkers.text] : [] };
  if (first.checkers.isBad) world.log.warn(first.checkers.text);
  const write = writerTo(streams.stdout, signal);
  await write(Buffer.from(stdout));
  for (;;) {
    await clock.sleep(everyMs, signal);
    if (signal.aborted) throw new HealthctlError('ABORTED', 'interrupted'); // main.ts knows the signal's status
    const look = await looker.look(signal);
    await write(Buffer.from(textOf(options, { look, usage: meter.measure(look.rows), nowMs: clock.now() })));
  }
}

interface Moment {
  readonly look: Look;
  readonly usage: ReadonlyMap<string, Usage>;
  readonly nowMs: number;
}

interface SnapshotRow {
  readonly row: TopRow;
  readonly beats: readonly Beat[];
  readonly usage: Usage | undefined;
}

function textOf({ sort, namespace, format, marks, everyMs }: SnapshotOptions, { look, usage, nowMs }: Moment): string {
  const state = { ...initialState({ look, nowMs, namespace, sort }), usage };
  const rows = listedRows(state).map((row): SnapshotRow => {
    const { key } = row;
    return { row, beats: look.beats.get(key) ?? [], usage: usage.get(key) };
  });
  const defaultTable = namespace === undefined ? `table {{.Namespace}}\t${TABLE}` : `table ${TABLE}`;
  const isTable = format === undefined || format.startsWith('table');
  const text = renderList({
    ...{ format, defaultTable, rows },
    columns: columnsOf(nowMs, marks),
    label: () => '',
    typeName: '*formatter.topContext',
  });
  return isTable && everyMs !== undefined ? `${new Date(nowMs).toISOString()}\n${text}\n` : text;
}

/** Marks of a bar in a table. */
const SHOWN_BEATS = 30;

function columnsOf(nowMs: number, marks: Marks): Readonly<Record<string, Column<SnapshotRow>>> {
  const known = <T>(value: T | undefined, text: (value: T) => string): string =>
    value === undefined ? '' : text(value);
  return {
    CPU: { header: 'CPU', value: ({ usage }) => known(usage?.cpu, shareText) },
    ExitCode: { header: 'EXIT CODE', value: ({ row }) => known(row.exitCode, String) },
    ID: { header: 'CONTAINER ID', value: ({ row }) => row.id.slice(0, 12) },
    Image: { header: 'IMAGE', value: ({ row }) => row.image },
    Memory: { header: 'MEMORY', value: ({ usage }) => known(usage?.memoryBytes, sizeText) },
    Name: { header: 'NAME', value: ({ row }) => row.name },
    Namespace: { header: 'NAMESPACE', value: ({ row }) => row.namespace },
    Next: { header: 'NEXT', value: ({ row }) => nextOf(row, nowMs).text },
    Results: { header: 'RESULTS', value: ({ beats }) => barText(beats.slice(-SHOWN_BEATS), marks) },
    Since: { header: 'SINCE', value: ({ row }) => known(row.sinceMs, (ms) => shortSpan(nowMs - ms)) },
    SinceTime: { header: 'SINCE', value: ({ row }) => known(row.sinceMs, localTimestamp) },
    Status: { header: 'STATUS', value: ({ row }) => statusOf(row).text },
    Streak: { header: 'STREAK', value: ({ row }) => (row.hasCheck ? `${row.streak}` : '') },
    Time: { header: 'TIME', value: () => new Date(nowMs).toISOString() },
    Took: { header: 'TOOK', value: ({ row }) => known(row.last?.durationMs, tookText) },
  };
}
