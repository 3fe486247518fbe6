import { closeSync, constants, fstatSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { hostIdOf } from '../lib/dirs.ts';
import { errnoOf, fileReasonOf } from '../lib/errors.ts';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import type { Logger } from '../lib/logger.ts';
import { inspectOwnFile, makeOwnDirectory, openOwnFile, readOwnText } from '../system/own-file.ts';
import { entryFromLine, type LogEntry, lineFromEntry } from './event-log-line.ts';
import type { HostEvent } from './host-event.ts';

/** A period of time. An absent bound is open. */
export interface TimeRange {
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** From the first moment to the last: recorded, or a gap without known events because no process recorded them. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is known of the past. */
export interface Past {
  /** Oldest first. */
  readonly events: readonly HostEvent[];
  /**
   * Recorded periods, oldest first. A period ends when the log was closed, otherwise with its last event: after `kill
   * -9` the writer's end is unknown.
   */
  readonly known: readonly Period[];
}

/** The ring of past events. One process writes it; every process that may read the directory can read it. */
export interface EventLog {
  /**
   * Written when it returns, so that it survives the death of the process. Never fails: an event that cannot be written
   * is lost.
   */
  append(event: HostEvent): void;
  /** The events of the range, both ends included, oldest first. */
  read(range: TimeRange): readonly HostEvent[];
  /** Records the end, so that readers know that nothing is missing before it. Idempotent. */
  close(): void;
}

export interface EventLogOptions {
  /** Created if missing, mode 0700. */
  readonly dir: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** The least number of events kept; the most is twice as many. Default 4096. */
  readonly maxEvents?: number;
}

const DEFAULT_MAX_EVENTS = 4096;
/** A container's labels may be long, and the directory is in memory. */
const MAX_SEGMENT_BYTES = 8 << 20;
/** The last event of a segment may exceed the segment's size. We never write a longer file. */
const MAX_READ_BYTES = 2 * MAX_SEGMENT_BYTES;
/** Two segments, so that dropping the oldest is a rename, and nothing is written twice. */
const SEGMENTS = { old: 'events.old.jsonl', current: 'events.jsonl' } as const;

/** In the run root, beside the namespaces of the containerd, whose names never begin with a dot. */
export function eventLogDir({ runRoot, address }: { readonly runRoot: string; readonly address: string }): string {
  return join(runRoot, hostIdOf(address), '.events');
}

/**
 * Opens the log for writing, and records that events are known from now on. The caller must be the only writer. Never
 * fails: if the log cannot be opened, it warns, and the next event tries again.
 */
export function openEventLog(options: EventLogOptions): EventLog {
  const { clock, log, maxEvents = DEFAULT_MAX_EVENTS } = options;
  const dir: LogDir = { path: options.dir, onFault: (text) => log.warn(text) };
  let segment: Segment | undefined;
  let isOpen = true;
  let hasFailed = false;
  const write = (entry: LogEntry): void => {
    if (!isOpen) return;
    try {
      if (segment === undefined || fstatSync(segment.fd).nlink === 0) segment = beginSegment(dir, segment, clock);
      if (segment.events >= maxEvents || segment.bytes >= MAX_SEGMENT_BYTES) segment = nextSegment(dir, segment, clock);
      writeLine(segment, entry);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) log.warn(`events cannot be stored in ${dir.path}: ${fileReasonOf(error)}`);
      hasFailed = true;
      // A partial line may be there: the next entry begins a new line.
      if (segment) segment.isTorn = true;
    }
  };
  try {
    segment = beginSegment(dir, undefined, clock);
  } catch (error) {
    log.warn(`events cannot be stored in ${dir.path}: ${fileReasonOf(error)}`);
    hasFailed = true;
  }
  return {
    append: (event) => write({ kind: 'event', event }),
    read: (range) => readEventLog(dir.path, range, dir).events,
    close: () => {
      if (!isOpen) return;
      if (segment) write({ kind: 'ended', atMs: clock.now() });
      isOpen = false;
      if (segment) closeSync(segment.fd);
    },
  };
}

interface LogDir extends FaultReporter {
  readonly path: string;
}

interface Segment {
  readonly fd: number;
  events: number;
  bytes: number;
  /** Whether its last line is incomplete. */
  isTorn: boolean;
}

function openSegment(dir: LogDir): Segment {
  const path = join(dir.path, SEGMENTS.current);
  const known = entriesFrom(textOf(dir, SEGMENTS.current)); // sets aside anything but a segment
  const { fd, stats } = openOwnFile(path, constants.O_RDWR | constants.O_APPEND, dir);
  const bytes = stats.size;
  const last = Buffer.alloc(1);
  const isTorn = bytes > 0 && readSync(fd, last, 0, 1, bytes - 1) === 1 && last.toString() !== '\n';
  return { fd, events: known.filter(({ kind }) => kind === 'event').length, bytes, isTorn };
}

/** The new segment records since when events are known without a gap: the old segment will be removed some day. */
function nextSegment(dir: LogDir, full: Segment, clock: Pick<Clock, 'now'>): Segment {
  textOf(dir, SEGMENTS.old); // sets aside a directory, which rename(2) would not replace
  ifThere(() => renameSync(join(dir.path, SEGMENTS.current), join(dir.path, SEGMENTS.old)));
  return replaceSegment(full, openSegment(dir), { kind: 'goes-on', atMs: clock.now() });
}

/** At the start, and after the files were removed: their content is lost. */
function beginSegment(dir: LogDir, lost: Segment | undefined, clock: Pick<Clock, 'now'>): Segment {
  makeOwnDirectory(dir.path, dir);
  return replaceSegment(lost, openSegment(dir), { kind: 'began', atMs: clock.now() });
}

/** Closes the earlier descriptor last: until then one can be written to, whatever fails. */
function replaceSegment(earlier: Segment | undefined, segment: Segment, first: LogEntry): Segment {
  try {
    writeLine(segment, first);
  } catch (error) {
    closeSync(segment.fd);
    throw error;
  }
  if (earlier) closeSync(earlier.fd);
  return segment;
}

function writeLine(segment: Segment, entry: LogEntry): void {
  const bytes = Buffer.from(`${segment.isTorn ? '\n' : ''}${lineFromEntry(entry)}\n`);
  // One write: a killed process leaves one line less, or a torn one at the end.
  for (let at = 0; at < bytes.length; ) at += writeSync(segment.fd, bytes, at);
  segment.isTorn = false;
  segment.bytes += bytes.length;
  if (entry.kind === 'event') segment.events += 1;
}

/** Reads the log of the process that writes or wrote it. A missing directory is an empty log. */
export function readEventLog(
  path: string,
  { sinceMs = 0, untilMs = Number.POSITIVE_INFINITY }: TimeRange = {},
  { onFault }: FaultReporter = {},
): Past {
  const entries = entriesOfBoth({ path, onFault });
  const events = entries.flatMap((entry) => (entry.kind === 'event' ? entry.event : []));
  return {
    // Events recorded late come after events that happened later.
    events: events.filter(({ atMs }) => atMs >= sinceMs && atMs <= untilMs).sort((a, b) => a.atMs - b.atMs),
    known: knownPeriods(entries),
  };
}

/** A rename between the two reads shows the same segment twice, or none: then both are read again. */
function entriesOfBoth(dir: LogDir): readonly LogEntry[] {
  const { old, current } = SEGMENTS;
  for (let attempt = 0; ; attempt += 1) {
    const before = inodeOf(dir, old);
    const [oldText, currentText, after] = [textOf(dir, old), textOf(dir, current), inodeOf(dir, old)];
    if (before === after || attempt >= 3) return [...entriesFrom(oldText), ...entriesFrom(currentText)];
  }
}

function inodeOf({ path }: LogDir, name: string): number | undefined {
  const found = inspectOwnFile(join(path, name), { maxBytes: 0, part: 'end' });
  return found.kind === 'read' ? found.stats.ino : undefined;
}

const textOf = ({ path, onFault }: LogDir, name: string): string =>
  readOwnText(join(path, name), { maxBytes: MAX_READ_BYTES, onFault }) ?? '';
/** A line that does not parse is torn, or of another version. */
const entriesFrom = (text: string): readonly LogEntry[] =>
  text.split('\n').flatMap((line) => entryFromLine(line) ?? []);

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function knownPeriods(entries: readonly LogEntry[]): readonly Period[] {
  const known: { fromMs: number; toMs: number }[] = [];
  for (const entry of entries) {
    const atMs = entry.kind === 'event' ? entry.event.atMs : entry.atMs;
    const last = known.at(-1);
    if (entry.kind === 'began' || last === undefined) known.push({ fromMs: atMs, toMs: atMs });
    else last.toMs = Math.max(last.toMs, atMs);
  }
  return known;
}

/**
 * The parts of a range that no period covers, oldest first. Periods may overlap and come in any order, because the
 * clock may have been set back.
 */
export function gapsIn(known: readonly Period[], { fromMs, toMs }: Period): readonly Period[] {
  const gaps: Period[] = [];
  let at = fromMs;
  for (const period of [...known].sort((a, b) => a.fromMs - b.fromMs)) {
    if (period.toMs < at) continue;
    if (period.fromMs >= toMs) break;
    if (period.fromMs > at) gaps.push({ fromMs: at, toMs: period.fromMs });
    at = period.toMs;
  }
  if (at < toMs) gaps.push({ fromMs: at, toMs });
  return gaps;
}
