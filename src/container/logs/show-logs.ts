import { dataDirOf } from '../../lib/dirs.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import { attributesText, logAttributesOf } from '../../record/log-attributes.ts';
import { logConfigOf } from '../../record/log-config.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import type { ContainerView } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { copyRange, followFile, type Write } from './follow.ts';
import type { GrowingFile } from './growing-file.ts';
import { readTimes } from './log-index-file.ts';
import { linesOf, mergeLines, piecesOf, type TimedPart } from './log-lines.ts';
import { createLogPrinter, type LogPrinter } from './log-printer.ts';
import { OUTPUT_STREAMS, type OutputStream, outputFilesOf } from './output-files.ts';
import { type OutputRun, type OutputSource, ownOutputs } from './output-source.ts';
import { shimOf } from './shim-copy.ts';
import { findTail, nextLine, type StreamPosition } from './tail.ts';

export interface LogsRequest {
  /** Number of lines from the end: in total, or per stream if the order between stdout and stderr is unknown. */
  readonly tail: number | 'all';
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Prefixes each line with the attributes that the container's log options name. */
  readonly details: boolean;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
}

/** Who reads the logs. */
export interface LogReader {
  readonly write: Readonly<Record<OutputStream, Write>>;
  /** Fires when nobody reads any more. */
  readonly signal: AbortSignal;
  /** Shared with other readers. Default: its own. */
  readonly source?: OutputSource;
}

type LogsContext = Pick<ContainerContext, 'containerd' | 'clock' | 'dirs' | 'log'>;

/**
 * Writes a container's output to a reader; with `follow` also later output, until the container
 * stops or `untilMs` is reached. Lines are ordered by time if a monitor recorded the times; otherwise all of stdout so
 * far comes first, then all of stderr. Memory is bounded, whatever the container prints.
 *
 * @throws errors of refuseUnreadable; ABORTED if the reader's signal fired
 */
export async function showLogs(
  ctx: LogsContext,
  reader: LogReader,
  view: ContainerView,
  request: LogsRequest,
): Promise<void> {
  return readLogs(ctx, reader, logSubjectOf(ctx, view, request), request);
}

/** What a reader of the logs needs of a container: it keeps this as long as it follows, and not the whole record. */
export interface LogSubject {
  readonly id: string;
  readonly dataDir: string;
  readonly details: string | undefined;
  readonly isLive: boolean;
  /** Found before anything is read: the container may stop meanwhile. */
  readonly shimPid: number | undefined;
}

/** Throws errors of refuseUnreadable. */
export function logSubjectOf(
  { dirs, containerd }: Pick<LogsContext, 'dirs' | 'containerd'>,
  view: ContainerView,
  request: LogsRequest,
): LogSubject {
  refuseUnreadable(view);
  const { id } = view.record;
  return {
    id,
    dataDir: dataDirOf(dirs, { namespace: containerd.namespace, id }),
    details: request.details ? detailsTextOf(view) : undefined,
    isLive: view.state === 'running' || view.state === 'paused',
    shimPid: request.follow && view.task ? shimOf(view.task.pid) : undefined,
  };
}

/** As `showLogs`. */
export async function readLogs(
  ctx: LogsContext,
  { write, signal, source = ownOutputs(ctx) }: LogReader,
  { id, dataDir, details, isLive, shimPid }: LogSubject,
  request: LogsRequest,
): Promise<void> {
  const files: GrowingFile[] = [];
  const open = async (path: string): Promise<GrowingFile> => {
    const file = await source.open(path);
    files.push(file);
    return file;
  };
  const onInexact = warnOnce(ctx, request);
  const openStream = async (name: OutputStream): Promise<StoredStream> => ({
    parts: await openParts(ctx, outputFilesOf(dataDir, name), open),
    write: write[name],
    printer: createLogPrinter({ ...request, details, write: write[name], onInexact }),
  });
  try {
    const opened: StoredStream[] = [];
    for (const name of OUTPUT_STREAMS) opened.push(await openStream(name));
    await printStored(opened, request, signal);
    const isOver = request.untilMs !== undefined && request.untilMs <= ctx.clock.now();
    if (request.follow && !isOver && isLive) {
      const live = opened.flatMap((stream) => liveOf(ctx, stream, request));
      opened.length = 0; // of a follower that waits, no more is kept than it needs
      const run = { id, shimPid, paths: live.map(({ path }) => path) };
      await followStreams(ctx, { live, run, source, untilMs: request.untilMs, signal });
    }
    if (signal.aborted) throw new HealthctlError('ABORTED', 'reading the logs was cancelled');
  } finally {
    for (const file of files) await file.close();
  }
}

/** Throws CONFLICT for a container whose output healthctl does not keep. */
function refuseUnreadable({ record, name }: ContainerView): void {
  if (record.labels[LABELS.owner] === undefined) {
    const isNerdctls = record.labels[LABELS.name] !== undefined;
    throw new HealthctlError('CONFLICT', `the logs of container ${name} are not healthctl's`, {
      ...(isNerdctls ? { hint: `try: nerdctl logs ${name}` } : {}),
    });
  }
  if (logConfigOf(storedConfigOf(record)?.HostConfig ?? {}).driver === 'none')
    throw new HealthctlError('CONFLICT', 'configured logging driver does not support reading');
}

function detailsTextOf({ record }: ContainerView): string {
  const stored = storedConfigOf(record);
  return stored ? attributesText(logAttributesOf(stored, logConfigOf(stored.HostConfig))) : '';
}

function warnOnce({ log }: Pick<LogsContext, 'log'>, request: LogsRequest): () => void {
  let isDue = needsTimes(request);
  return () => {
    if (isDue) log.warn('not all times are known exactly: no monitor ran when these lines were written');
    isDue = false;
  };
}

const needsTimes = ({ timestamps, sinceMs, untilMs }: LogsRequest): boolean =>
  timestamps || sinceMs !== undefined || untilMs !== undefined;

/** Whether output has to be processed by lines rather than copied as bytes. */
const isByLine = (request: LogsRequest): boolean => request.details || needsTimes(request);

interface StoredStream {
  /** Oldest first. */
  readonly parts: readonly (TimedPart & { readonly path: string })[];
  readonly write: Write;
  readonly printer: LogPrinter;
}

/** Skips a foreign file, with a warning. */
async function openParts(
  { log, dirs }: Pick<LogsContext, 'log' | 'dirs'>,
  paths: readonly string[],
  open: OutputSource['open'],
): Promise<StoredStream['parts']> {
  const parts: (TimedPart & { path: string })[] = [];
  for (const path of paths) {
    const file = await open(path).catch((error: unknown) => {
      if (!hasCode(error, 'CORRUPT')) throw error;
      log.warn(error.message);
      return undefined;
    });
    if (!file) continue;
    const [size, dropped, writtenAtMs] = [await file.size(), await file.dataFrom(0), await file.writtenAtMs()];
    // A limit drops blocks, which may leave part of a line.
    const from = dropped === 0 ? 0 : await nextLine({ file, from: dropped, size });
    parts.push({ file, path, from, size, times: readTimes(path, dirs), writtenAtMs });
  }
  return parts;
}

async function printStored(opened: readonly StoredStream[], request: LogsRequest, signal: AbortSignal): Promise<void> {
  const { tail } = request;
  const starts = await Promise.all(
    opened.map(({ parts }): Promise<StreamPosition> | StreamPosition =>
      tail === 'all' ? { part: 0, offset: parts[0]?.from ?? 0 } : findTail(parts, tail),
    ),
  );
  const started = opened.map((stream, index) => ({ ...stream, start: starts[index] ?? { part: 0, offset: 0 } }));
  const isTimed = opened.some(({ parts }) => parts.some(({ times }) => times.count > 0));
  const filled = opened.filter(({ parts }) => parts.some(({ size }) => size > 0));
  if (isTimed && (filled.length > 1 || isByLine(request))) return printInOrder(started, tail, signal);
  for (const stream of started) {
    if (isByLine(request)) await printLines(stream, signal);
    else await copyStored(stream, signal);
  }
}

type StartedStream = StoredStream & { readonly start: StreamPosition };

async function copyStored({ parts, start, write }: StartedStream, signal: AbortSignal): Promise<void> {
  for (const [index, { file, size, from = 0 }] of parts.entries()) {
    if (index < start.part) continue;
    await copyRange(file, { from: index === start.part ? start.offset : from, to: size, write, signal });
  }
}

async function printLines({ parts, start, printer }: StartedStream, signal: AbortSignal): Promise<void> {
  for await (const { bytes, time } of linesOf(parts, start, signal)) await printer.put(bytes, time);
  await printer.flush();
}

/** Each stream begins at its own tail; the surplus lines of both together are skipped. */
async function printInOrder(
  streams: readonly StartedStream[],
  tail: number | 'all',
  signal: AbortSignal,
): Promise<void> {
  const lines = () => mergeLines(streams.map(({ parts, start }) => linesOf(parts, start, signal)));
  let excess = 0;
  if (tail !== 'all') {
    for await (const { isHead } of lines()) excess += isHead ? 1 : 0;
    excess -= tail;
  }
  let last: LogPrinter | undefined;
  for await (const { stream, isHead, bytes, time } of lines()) {
    if (isHead) excess -= 1;
    if (excess >= 0) continue;
    const printer = streams[stream]?.printer;
    if (printer !== last) await last?.flush();
    await printer?.put(bytes, time);
    last = printer;
  }
  await last?.flush();
}

/** The end of a stream, which is being written. */
interface LiveStream {
  readonly file: GrowingFile;
  readonly path: string;
  readonly size: number;
  readonly write: Write;
}

/** None if the container was never started. */
function liveOf(
  { clock }: Pick<LogsContext, 'clock'>,
  { parts, printer, write }: StoredStream,
  request: LogsRequest,
): readonly LiveStream[] {
  const last = parts.at(-1);
  if (!last) return [];
  const { file, path, size } = last;
  const printNow: Write = async (block) => {
    for (const { bytes } of piecesOf(block)) await printer.put(bytes, { atMs: clock.now(), isExact: true });
    await printer.flush();
  };
  return [{ file, path, size, write: isByLine(request) ? printNow : write }];
}

interface Followed {
  readonly live: readonly LiveStream[];
  readonly run: OutputRun;
  readonly source: OutputSource;
  readonly untilMs: number | undefined;
  readonly signal: AbortSignal;
}

async function followStreams(
  { clock }: Pick<LogsContext, 'clock'>,
  { live, run, source, untilMs, signal }: Followed,
): Promise<void> {
  const copied = new AbortController();
  const over = new AbortController();
  const left = AbortSignal.any([signal, over.signal]);
  const following = Promise.all(
    live.map(({ file, size, write }) =>
      followFile(file, { from: size, write, clock, ended: copied.signal, signal: left }),
    ),
  );
  const reached = untilMs === undefined ? [] : [clock.sleep(untilMs - clock.now(), left)];
  const waiting = Promise.race([source.untilComplete(run, left), ...reached]);
  try {
    await Promise.race([waiting.then(() => copied.abort()).then(() => following), following]);
  } finally {
    over.abort();
  }
}
