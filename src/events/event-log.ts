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

/** A part of time. What is absent is open. */
export interface TimeRange {
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** A stretch of time of which no events are known, because nobody wrote them down. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is known of the past. */
export interface Past {
  /** Oldest first. */
  readonly events: readonly HostEvent[];
  /**
   * When it was written down, oldest first. A period ends with what closed the log, or else with its last event: after `kill -9`, nothing
   * tells for how long the writer lived on.
   */
  readonly known: readonly Gap[];
}

/** The ring of past events. One process writes it, whoever may read the directory reads it. */
export interface EventLog {
  /** Written when it returns, so that it survives the death of the process. Never fails: an event that cannot be written is lost. */
  append(event: HostEvent): void;
  /** The events of the range, both ends included, oldest first. */
  read(range: TimeRange): readonly HostEvent[];
  /** Notes the end, so that a reader knows that nothing is missing before it. Idempotent. */
  close(): void;
}

export interface EventLogOptions {
  /** Made when it is missing, mode 0700. */
  readonly dir: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** How many events are kept at least; twice as many at most. Default 4096. */
  readonly maxEvents?: number;
}

const DEFAULT_MAX_EVENTS = 4096;
/** A container's labels may be long, and the directory is in memory. */
const MAX_SEGMENT_BYTES = 8 << 20;
/** The last event of a segment may be longer than what is left of it. A longer file was not written by us. */
const MAX_READ_BYTES = 2 * MAX_SEGMENT_BYTES;
/** Two segments, so that dropping the oldest is a rename: what is written is never written again. */
const SEGMENTS = { old: 'events.old.jsonl', current: 'events.jsonl' } as const;

/** In the run root, beside the namespaces of the containerd: their names never begin with a dot. */
export function eventLogDir({ runRoot, address }: { readonly runRoot: string; readonly address: string }): string {
  return join(runRoot, hostIdOf(address), '.events');
}

/**
 * Opens the log for writing, and notes that from now on events are known. The caller sees to it that it is the only writer. Never fails: where
 * the log cannot be opened, there is a warning, and the next event tries again.
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
      if (segment === undefined || fstatSync(segment.fd).nlink === 0) segment = anew(dir, segment, clock);
      if (segment.events >= maxEvents || segment.bytes >= MAX_SEGMENT_BYTES) segment = nextSegment(dir, segment, clock);
      writeLine(segment, entry);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) log.warn(`events cannot be stored in ${dir.path}: ${fileReasonOf(error)}`);
      hasFailed = true;
      // Half a line may be there: the next one begins anew.
      if (segment) segment.isTorn = true;
    }
  };
  try {
    segment = anew(dir, undefined, clock);
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
  /** Whether its last line has no end. */
  isTorn: boolean;
}

function openSegment(dir: LogDir): Segment {
  const path = join(dir.path, SEGMENTS.current);
  const known = entriesFrom(textOf(dir, SEGMENTS.current)); // sets aside what is no segment
  const { fd, stats } = openOwnFile(path, constants.O_RDWR | constants.O_APPEND, dir);
  const bytes = stats.size;
  const last = Buffer.alloc(1);
  const isTorn = bytes > 0 && readSync(fd, last, 0, 1, bytes - 1) === 1 && last.toString() !== '\n';
  return { fd, events: known.filter(({ kind }) => kind === 'event').length, bytes, isTorn };
}

/** The new segment says since when what it goes on with is known: the old one will be gone some day. */
function nextSegment(dir: LogDir, full: Segment, clock: Pick<Clock, 'now'>): Segment {
  textOf(dir, SEGMENTS.old); // sets aside a directory, which rename(2) would not replace
  ifThere(() => renameSync(join(dir.path, SEGMENTS.current), join(dir.path, SEGMENTS.old)));
  return succeed(full, openSegment(dir), { kind: 'goes-on', atMs: clock.now() });
}

/** At the start; and when somebody removed the files: what they held is lost. */
function anew(dir: LogDir, lost: Segment | undefined, clock: Pick<Clock, 'now'>): Segment {
  makeOwnDirectory(dir.path, dir);
  return succeed(lost, openSegment(dir), { kind: 'began', atMs: clock.now() });
}

/** The earlier descriptor is closed last: until then there is one to write to, whatever fails. */
function succeed(earlier: Segment | undefined, segment: Segment, first: LogEntry): Segment {
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
  // One write: what a killed process leaves is a line less, or a torn one at the end.
  for (let at = 0; at < bytes.length; ) at += writeSync(segment.fd, bytes, at);
  segment.isTorn = false;
  segment.bytes += bytes.length;
  if (entry.kind === 'event') segment.events += 1;
}

/** Reads the log of whichever process writes, or wrote it. A directory that is not there is an empty log. */
export function readEventLog(
  path: string,
  { sinceMs = 0, untilMs = Number.POSITIVE_INFINITY }: TimeRange = {},
  { onFault }: FaultReporter = {},
): Past {
  const entries = entriesOfBoth({ path, onFault });
  const events = entries.flatMap((entry) => (entry.kind === 'event' ? entry.event : []));
  return {
    // What was made up for stands behind what happened later.
    events: events.filter(({ atMs }) => atMs >= sinceMs && atMs <= untilMs).sort((a, b) => a.atMs - b.atMs),
    known: knownPeriods(entries),
  };
}

/** A rename between the two reads shows the same segment twice, or none: then it is read again. */
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

function knownPeriods(entries: readonly LogEntry[]): readonly Gap[] {
  const known: { fromMs: number; toMs: number }[] = [];
  for (const entry of entries) {
    const atMs = entry.kind === 'event' ? entry.event.atMs : entry.atMs;
    const last = known.at(-1);
    if (entry.kind === 'began' || last === undefined) known.push({ fromMs: atMs, toMs: atMs });
    else last.toMs = Math.max(last.toMs, atMs);
  }
  return known;
}

/** The stretches of a range that no period covers, oldest first. Periods may overlap, and come in any order: the clock may have been set back. */
export function gapsIn(known: readonly Gap[], { fromMs, toMs }: Gap): readonly Gap[] {
  const gaps: Gap[] = [];
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
