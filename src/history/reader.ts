import { errnoOf, fileReasonOf, hasCode } from '../lib/errors.ts';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import { readOwnFile, setAsideDamaged } from '../system/own-file.ts';
import {
  addToCells,
  type Cell,
  type CellMap,
  eachCellIn,
  HOUR_MS,
  MINUTE_MS,
  mergeIntoCells,
  sortedCells,
} from './cell.ts';
import { changeFromLine } from './change-line.ts';
import { DAY_MS, dayOf, type HistoryFile, historyFiles, unmergedJournals } from './files.ts';
import { eachJournaled, journalFactsOf } from './journal.ts';
import type { Change, Sample } from './model.ts';
import { eachSample } from './sample-codec.ts';
import { eachBlock, readBlock } from './segment.ts';
import type { Period } from './timeline.ts';

/**
 * Reads the history of one containerd from its files, whether a monitor runs or not. What the monitor has not
 * written yet, the last five seconds, is missing. A damaged segment is set aside, so that it is reported once; a damaged
 * journal is skipped and reported, because the monitor may be writing it.
 */
export interface HistoryReader {
  /** Wall time of the last write, which may be an empty one; undefined without a history. */
  lastMs(): number | undefined;
  /** The samples of a container in a period, oldest first. */
  samples(key: string, period: Period): readonly Sample[];
  /** Like `samples`, for all containers or for one; those of one container come nearly in order. */
  eachSample(period: Period, visit: (key: string, sample: Sample) => void, key?: string): void;
  /**
   * The sums of a container's samples, oldest first: by minute for the last days, by hour for the days before. A
   * cell at an end of the period counts if it begins in the period.
   */
  cells(period: Period, key: string): readonly Cell[];
  /**
   * Like `cells`, for all containers or for one, in any order; a minute may come in two parts. A cell is valid only
   * during its visit.
   */
  eachCell(period: Period, visit: (key: string, cell: Cell) => void, key?: string): void;
  /**
   * The changes of all containers, or of one, and the gaps, oldest first, from the start of the day in which the period
   * begins.
   */
  changes(period: Period, key?: string): readonly Change[];
  /**
   * The changes from which a new monitor continues the phases of all containers, oldest first: those since the last but
   * one day on which a monitor saw containers, however long ago that is.
   */
  recentChanges(nowMs: number): readonly Change[];
}

/**
 * A day begins with all present phases, and a new monitor notes each phase that it finds. If that was interrupted on the
 * last day, the day before is complete.
 */
const RECENT_DAYS = 2;

/** Larger files are not ours. */
export const MAX_JOURNAL_BYTES = 256 << 20;
export const MAX_CHANGES_BYTES = 32 << 20;
/** Longest time between the beginning of a window and its last sample. */
const WINDOW_REACH_MS = 60 * MINUTE_MS;

export function openHistoryReader(dir: string, reporter: FaultReporter): HistoryReader {
  const tryRead = createTryRead(reporter);
  return {
    lastMs: () => {
      let lastMs: number | undefined;
      for (const { path, fromMs } of historyFiles(dir).filter(isKind('journal'))) {
        const bytes = readOwnFile(path, { maxBytes: MAX_JOURNAL_BYTES });
        let journalMs = fromMs;
        tryRead(path, () => {
          if (bytes) journalMs = journalFactsOf(bytes).lastMs ?? fromMs;
        });
        lastMs = Math.max(lastMs ?? 0, journalMs);
      }
      return lastMs;
    },
    samples: (key, period) => {
      const samples: Sample[] = [];
      visitSamples(dir, { period, key, tryRead }, (_, sample) => samples.push(sample));
      return samples.sort((a, b) => a.atMs - b.atMs);
    },
    eachSample: (period, visit, key) => visitSamples(dir, { period, key, tryRead }, visit),
    cells: (period, key) => {
      const cells: CellMap = new Map();
      visitCells(dir, { period, key, tryRead }, (_, cell) => mergeIntoCells(cells, cell, MINUTE_MS));
      return sortedCells(cells);
    },
    eachCell: (period, visit, key) => visitCells(dir, { period, key, tryRead }, visit),
    changes: ({ fromMs, toMs }, key) =>
      historyFiles(dir)
        .filter((file) => file.kind === 'changes' && file.fromMs <= toMs && file.fromMs >= dayOf(fromMs))
        .flatMap(({ path }) => changesIn(path, key))
        .filter(({ atMs }) => atMs <= toMs)
        .sort((a, b) => a.atMs - b.atMs),
    recentChanges: (nowMs) => recentChangesIn(dir, nowMs),
  };
}

function recentChangesIn(dir: string, nowMs: number): readonly Change[] {
  const found: Change[] = [];
  let days = 0;
  for (const { path } of historyFiles(dir).filter(isKind('changes')).reverse()) {
    const ofDay = changesIn(path, undefined).filter(({ atMs }) => atMs <= nowMs);
    for (const change of ofDay) found.push(change);
    if (ofDay.some(({ kind }) => kind === 'phase')) days += 1;
    if (days === RECENT_DAYS) break;
  }
  return found.sort((a, b) => a.atMs - b.atMs);
}

type TryRead = (path: string, read: () => void, kind?: 'segment') => void;

/**
 * Reports a damaged or unreadable file once, and sets a damaged segment aside. A missing one has expired meanwhile.
 * Throws errors of any other kind.
 */
function createTryRead({ onFault }: FaultReporter): TryRead {
  const reported = new Set<string>();
  const skip = (text: string): void => onFault?.(`a part of the history is skipped: ${text}`);
  return (path, read, kind) => {
    try {
      read();
    } catch (error) {
      if (errnoOf(error) === undefined && !hasCode(error, 'CORRUPT')) throw error;
      if (errnoOf(error) === 'ENOENT' || reported.has(path)) return;
      reported.add(path);
      if (errnoOf(error) !== undefined) skip(`${path} cannot be read: ${fileReasonOf(error)}`);
      else if (kind === 'segment') setAsideDamaged(path, { onFault: skip });
      else skip(`${path} is damaged`);
    }
  };
}

/**
 * The bytes of all journals by path, which take far less memory than their samples. Call it before you list the
 * segments, so that no sample is missed.
 */
const readJournals = (dir: string): ReadonlyMap<string, Buffer | undefined> =>
  new Map(
    historyFiles(dir)
      .filter(isKind('journal'))
      .map(({ path }) => [path, readOwnFile(path, { maxBytes: MAX_JOURNAL_BYTES })]),
  );

/** What to read: of all containers, or of one. */
interface Wanted {
  readonly period: Period;
  readonly key: string | undefined;
  readonly tryRead: TryRead;
}

function visitSamples(dir: string, wanted: Wanted, visit: (key: string, sample: Sample) => void): void {
  const { period } = wanted;
  const visitIn = (of: string, sample: Sample): void => {
    if (isIn(period, sample.atMs)) visit(of, sample);
  };
  const journals = readJournals(dir);
  const files = historyFiles(dir);
  for (const file of rawFiles(files, period))
    visitBlocks(file, wanted, (of, block) => eachSample(block, (sample) => visitIn(of, sample)));
  for (const { path } of unmergedJournals(files, 'raw')) visitJournal(path, journals.get(path), wanted, visitIn);
}

function visitJournal(
  path: string,
  bytes: Buffer | undefined,
  { key, tryRead }: Wanted,
  visit: (key: string, sample: Sample) => void,
): void {
  tryRead(path, () => {
    if (!bytes) return;
    eachJournaled(bytes, (of, sample) => {
      if (key === undefined || of === key) visit(of, sample);
    });
  });
}

function visitBlocks(
  { path }: HistoryFile,
  { key, tryRead }: Wanted,
  visit: (key: string, block: Buffer) => void,
): void {
  const read = (): void => {
    if (key === undefined) eachBlock(path, visit);
    else {
      const block = readBlock(path, key);
      if (block) visit(key, block);
    }
  };
  tryRead(path, read, 'segment');
}

const rawFiles = (files: readonly HistoryFile[], { fromMs, toMs }: Period): readonly HistoryFile[] =>
  files.filter((file) => file.kind === 'raw' && file.fromMs <= toMs && file.fromMs >= fromMs - WINDOW_REACH_MS);

/** The files with minutes, and those with hours for days whose minutes were removed. */
function cellFiles(files: readonly HistoryFile[], { fromMs, toMs }: Period): readonly HistoryFile[] {
  const days = new Set(files.filter(isKind('minutes')).map((file) => dayOf(file.fromMs)));
  return files.filter(
    (file) =>
      (file.kind === 'minutes' || (file.kind === 'hours' && !days.has(file.fromMs))) &&
      file.fromMs <= toMs &&
      file.fromMs >= fromMs - (file.kind === 'hours' ? DAY_MS : WINDOW_REACH_MS),
  );
}

function visitCells(dir: string, wanted: Wanted, visit: (key: string, cell: Cell) => void): void {
  const { period } = wanted;
  const journals = readJournals(dir);
  const files = historyFiles(dir);
  const visitIn = (of: string, cell: Cell): void => {
    if (isIn(period, cell.fromMs)) visit(of, cell);
  };
  for (const file of cellFiles(files, period)) {
    const widthMs = file.kind === 'hours' ? HOUR_MS : MINUTE_MS;
    visitBlocks(file, wanted, (of, block) => eachCellIn(block, widthMs, (cell) => visitIn(of, cell)));
  }
  for (const { path } of unmergedJournals(files, 'minutes')) {
    const sums = new Map<string, CellMap>();
    visitJournal(path, journals.get(path), wanted, (of, sample) => {
      const own: CellMap = sums.get(of) ?? new Map();
      sums.set(of, own);
      addToCells(own, sample, MINUTE_MS);
    });
    for (const [of, own] of sums) for (const cell of own.values()) visitIn(of, cell);
  }
}

/** @param key of the wanted container; undefined: all */
function changesIn(path: string, key: string | undefined): readonly Change[] {
  const bytes = readOwnFile(path, { maxBytes: MAX_CHANGES_BYTES + (1 << 20) });
  const changes: Change[] = [];
  for (const line of bytes ? linesOf(bytes) : []) {
    // Before the line is parsed, which takes most of the time and memory.
    if (key !== undefined && !line.includes(key) && !line.includes('"gap"')) continue;
    const change = changeFromLine(line);
    if (change && (key === undefined || change.kind === 'gap' || change.key === key)) changes.push(change);
  }
  return changes;
}

function* linesOf(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf('\n', at);
    const end = found === -1 ? bytes.length : found;
    yield bytes.toString('utf8', at, end);
    at = end + 1;
  }
}

const isIn = ({ fromMs, toMs }: Period, atMs: number): boolean => atMs >= fromMs && atMs <= toMs;

const isKind =
  (kind: HistoryFile['kind']) =>
  (file: HistoryFile): boolean =>
    file.kind === kind;
