import { writerTo } from '../../../container/console/user-console.ts';
import type { ContainerContext } from '../../../container/context.ts';
import { listContainers } from '../../../container/list.ts';
import { resolveViews } from '../../../container/resolve.ts';
import { SAMPLE_INTERVAL_MS } from '../../../container/stats/follow.ts';
import { cpuShare, memoryLimit, memoryUsed, readSample, type Sample } from '../../../container/stats/sample.ts';
import { formatFloat } from '../../../go/template/format-number.ts';
import { noFlags } from '../../../go/template/pad.ts';
import { bytesSize, humanSize } from '../../../go/units.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { ContainerView } from '../../../record/view.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { listFormatOption, noTruncOption } from '../../flags/format.ts';
import { CONTAINER } from '../../flags/values.ts';
import { type Column, renderList } from '../../format/table.ts';

/** `healthctl stats`: Docker's. */
export const stats: Command = {
  usage: '[OPTIONS] [CONTAINER...]',
  description: `Show the use of processors, memory, networks and disks by containers: all that
run, or the named ones. Once a second until Ctrl-C.`,
  options: [
    { name: 'all', short: 'a', type: 'bool', help: 'Show all containers (default shows just running)' },
    listFormatOption,
    { name: 'no-stream', type: 'bool', help: 'Disable streaming stats and only pull the first result' },
    noTruncOption,
  ],
  args: { min: 0 },
  complete: [CONTAINER],
  run: (world, input) => runStats(world, input),
};

interface Row {
  readonly view: ContainerView;
  /** As it was named on the command line, else its id. */
  readonly called: string;
  readonly now: Sample | undefined;
  readonly before: Sample | undefined;
}

/** Overwrites the screen without flicker: to its beginning, each line to its end, and what is left below. */
const HOME = '\x1b[H';
const CLEAR = '\x1b[2J';
const TO_END_OF_LINE = '\x1b[K';
const TO_END_OF_SCREEN = '\x1b[J';

async function runStats(world: World, { options, args }: CommandInput): Promise<CommandResult> {
  const ctx = await openContainers(world);
  const { clock, signal, streams } = world;
  const find = finderOf(ctx, { args, isAll: options.bool('all'), signal });
  const layout = { format: options.string('format'), isWhole: options.bool('no-trunc') };
  const meter = createMeter(ctx);
  const first = meter(await find());
  // Refuses a wrong format before the first wait.
  render([], layout);
  await clock.sleep(SAMPLE_INTERVAL_MS, signal);
  if (options.bool('no-stream')) return { stdout: render(meter(first), layout) };
  const isTerminal = streams.stdout.isTTY === true;
  const write = writerTo(streams.stdout, signal);
  if (isTerminal) await write(Buffer.from(CLEAR));
  while (!signal.aborted) {
    const text = render(meter(await find()), layout);
    const lines = text.replaceAll('\n', `${TO_END_OF_LINE}\n`);
    await write(Buffer.from(isTerminal ? `${HOME}${lines}${TO_END_OF_SCREEN}` : text));
    await clock.sleep(SAMPLE_INTERVAL_MS, signal);
  }
  throw new HealthctlError('ABORTED', 'interrupted');
}

type Found = Pick<Row, 'view' | 'called'>;

/** The containers to show at this moment. Throws NOT_FOUND for one that is named and not there. */
function finderOf(
  ctx: ContainerContext,
  asked: { readonly args: readonly string[]; readonly isAll: boolean; readonly signal: AbortSignal },
): () => Promise<readonly Found[]> {
  const { args, isAll, signal } = asked;
  if (args.length === 0) {
    return async () => {
      const keep = ({ state }: ContainerView) => isAll || state === 'running' || state === 'paused';
      const listed = await listContainers(ctx, { keep, signal });
      return listed.map(({ view }) => ({ view, called: view.record.id }));
    };
  }
  return async () => {
    const views = await resolveViews(ctx, args, { signal });
    return views.map((view, index) => {
      if (view instanceof HealthctlError) throw view;
      return { view, called: args[index] ?? '' };
    });
  };
}

/** Measures containers, each compared with the measure before. */
function createMeter(ctx: Pick<ContainerContext, 'clock'>): (found: readonly Found[]) => readonly Row[] {
  type Known = ReadonlyMap<string, { readonly run: string; readonly sample: Sample }>;
  let known: Known = new Map();
  return (found) => {
    const next = new Map<string, { readonly run: string; readonly sample: Sample }>();
    const rows = found.map(({ view, called }): Row => {
      const { id } = view.record;
      const run = 'run' in view.taskView ? (view.taskView.run?.id ?? '') : '';
      const now = readSample(view, ctx.clock.now());
      const last = known.get(id);
      if (now) next.set(id, { run, sample: now });
      return { view, called, now, before: last?.run === run ? last.sample : undefined };
    });
    known = next;
    return rows;
  };
}

interface Layout {
  readonly format: string | undefined;
  readonly isWhole: boolean;
}

function render(rows: readonly Row[], { format, isWhole }: Layout): string {
  return renderList({
    format,
    defaultTable:
      'table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
    rows,
    columns: columnsOf(isWhole),
    typeName: '*container.statsContext',
  });
}

/** docker/cli: cli/command/container/formatter_stats.go. */
function columnsOf(isWhole: boolean): Readonly<Record<string, Column<Row>>> {
  return {
    BlockIO: { header: 'BLOCK I/O', value: ({ now }) => pair(blockIo(now), (bytes) => humanSize(bytes, 3)) },
    CPUPerc: { header: 'CPU %', value: ({ now, before }) => percent(now ? cpuShare(now, before) : 0) },
    Container: { header: 'CONTAINER', value: ({ called }) => called },
    ID: { header: 'CONTAINER ID', value: ({ view }) => (isWhole ? view.record.id : view.record.id.slice(0, 12)) },
    MemPerc: {
      header: 'MEM %',
      value: ({ now }) => percent(now ? memoryUsed(now.counters) / memoryLimit(now.counters) : 0),
    },
    MemUsage: {
      header: 'MEM USAGE / LIMIT',
      value: ({ now }) => pair(now ? [memoryUsed(now.counters), memoryLimit(now.counters)] : [0, 0], bytesSize),
    },
    Name: { header: 'NAME', value: ({ view }) => view.name },
    NetIO: { header: 'NET I/O', value: ({ now }) => pair(networkIo(now), (bytes) => humanSize(bytes, 3)) },
    PIDs: { header: 'PIDS', value: ({ now }) => `${now?.counters.pids.current ?? 0}` },
  };
}

const percent = (share: number): string => `${formatFloat(share * 100, 'f', { ...noFlags, precision: 2 })}%`;

const pair = ([one, other]: readonly [number, number], text: (bytes: number) => string): string =>
  `${text(one)} / ${text(other)}`;

function blockIo(now: Sample | undefined): readonly [number, number] {
  const sumOf = (initial: string): number =>
    (now?.counters.io ?? []).filter(({ op }) => op.startsWith(initial)).reduce((sum, { value }) => sum + value, 0);
  return [sumOf('r'), sumOf('w')];
}

function networkIo(now: Sample | undefined): readonly [number, number] {
  const all = [...(now?.interfaces.values() ?? [])];
  return [all.reduce((sum, one) => sum + one.rxBytes, 0), all.reduce((sum, one) => sum + one.txBytes, 0)];
}
