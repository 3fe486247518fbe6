import { type FSWatcher, lstatSync, type Stats, watch } from 'node:fs';
import type { Clock } from '../../lib/clock.ts';
import { fileReasonOf } from '../../lib/errors.ts';
import type { FaultReporter } from '../../lib/fault-reporter.ts';
import type { Logger } from '../../lib/logger.ts';
import { reportOnce } from '../../lib/report-once.ts';
import type { LogLimit } from '../../record/log-config.ts';
import { cutLogs } from './log-cut.ts';
import { appendTimes, forgetTimes, readTimes } from './log-index-file.ts';
import { limitLogs } from './log-limiter.ts';
import type { Sighting } from './log-times.ts';
import { liveFileOf, OUTPUT_STREAMS, type OutputStream } from './output-files.ts';

export interface LogIndexerOptions {
  /** The container's directory: contains its output files, and gets the indexes. */
  readonly dataDir: string;
  /** Undefined: all output is kept. */
  readonly limit: LogLimit | undefined;
  /** Start of the run: output without an index came since then. */
  readonly startedAtMs: number;
  readonly clock: Clock;
  /** Receives one warning for each thing that fails. */
  readonly log: Logger;
  /** Called when times were written: there is new output. */
  readonly onOutput?: () => void;
}

export interface LogIndexer {
  /** Writes what can be observed now, at once. */
  write(): void;
  /** Like `write`, for the last time. Idempotent. */
  end(): void;
}

/**
 * First wait between two reads of the files' sizes while a container writes; it doubles up to LONGEST_POLL_MS. The
 * limit is enforced more often: see limitLogs.
 */
const FIRST_POLL_MS = 50;
const LONGEST_POLL_MS = 1_000;
/** Wait between two writes of an index. */
const FLUSH_MS = 1_000;
/** Wait between two reads if the kernel has no watch left. */
const UNWATCHED_POLL_MS = 2_000;
/** Largest error of a time that still counts as exact. */
const EXACT_MS = 1_000;

/**
 * Records when the bytes of a container's output came, and limits their amount. A silent container costs nothing: the
 * kernel reports the first write; from then on its files are polled until they stop changing. Newly found output gets
 * the time of the file's last write.
 *
 * It is not between the container and its files: without it, only times are lost.
 *
 * Nothing is written once the files are gone.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function indexLogs({ dataDir, limit, startedAtMs, clock, log, onOutput }: LogIndexerOptions): LogIndexer {
  const faults = { onFault: reportOnce((text) => log.warn(text)) };
  const files = OUTPUT_STREAMS.map((stream) => openIndexed({ dataDir, stream, startedAtMs, ...faults }));
  let watcher: FSWatcher | undefined;
  let timer: { cancel(): void } | undefined;
  let flushedAtMs = Number.NEGATIVE_INFINITY;
  let hasFailed = false;
  let isOver = false;

  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!hasFailed) log.warn(`the log in ${dataDir} cannot be indexed or limited: ${fileReasonOf(error)}`);
      hasFailed = true;
    }
  };
  const limiter = limit && limitLogs({ dataDir, limit, clock, attempt });
  const observeAll = (): boolean => {
    let isGrown = false;
    attempt(() => {
      isGrown = files.map((file) => file.observe()).includes(true);
    });
    return isGrown;
  };
  const writeDown = (): void => {
    observeAll();
    if (limit) attempt(() => cutLogs(dataDir, limit));
    flush();
  };
  const flush = (): void => {
    flushedAtMs = clock.monotonic();
    const hasOutput = isPending();
    for (const file of files) attempt(file.flush);
    if (hasOutput) onOutput?.();
  };
  const isPending = (): boolean => files.some((file) => file.isPending());

  const later = (ms: number, work: () => void): void => {
    timer?.cancel();
    timer = clock.after(ms, work);
  };
  const unwatch = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const flushAndRest = (): void => {
    flush();
    if (!watcher) later(UNWATCHED_POLL_MS, wake);
  };
  const rest = (): void => {
    limiter?.rest();
    watcher = watchOutputs(dataDir, wake);
    if (observeAll())
      wake(); // the output came before the watch
    else if (isPending()) later(Math.max(0, flushedAtMs + FLUSH_MS - clock.monotonic()), flushAndRest);
    else if (!watcher) later(UNWATCHED_POLL_MS, wake);
  };
  const follow = (afterMs: number): void => {
    const isGrown = observeAll();
    if (isPending() && clock.monotonic() - flushedAtMs >= FLUSH_MS) flush();
    if (!isGrown && afterMs > FIRST_POLL_MS) rest();
    else later(afterMs, () => follow(Math.min(afterMs * 2, LONGEST_POLL_MS)));
  };
  const wake = (): void => {
    if (isOver) return;
    unwatch();
    limiter?.begin();
    follow(FIRST_POLL_MS);
  };

  rest();
  return {
    write: writeDown,
    end: () => {
      if (isOver) return;
      isOver = true;
      timer?.cancel();
      unwatch();
      limiter?.rest();
      writeDown();
    },
  };
}

/**
 * Undefined if the kernel has no watch left. The indexes are in the same directory, but changes to them are not the
 * container's.
 */
function watchOutputs(dataDir: string, wake: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dataDir, { persistent: false }, (_, name) => {
      if (name === null || name === 'stdout.log' || name === 'stderr.log') wake();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

interface IndexedFile {
  /** Records the present size of the file. Throws system errors. @returns whether the file has grown */
  observe(): boolean;
  isPending(): boolean;
  /** Throws system errors; data that could not be written is dropped. */
  flush(): void;
}

interface IndexedRequest extends FaultReporter {
  readonly dataDir: string;
  readonly stream: OutputStream;
  readonly startedAtMs: number;
}

function openIndexed({ dataDir, stream, startedAtMs, onFault }: IndexedRequest): IndexedFile {
  const path = liveFileOf(dataDir, stream);
  const known = readTimes(path, { onFault });
  let lastMs = Math.max(startedAtMs, known.at(known.end)?.atMs ?? 0);
  let end = known.end;
  let inode: number | undefined;
  let isFirst = true;
  let pending: Sighting[] = [];
  return {
    observe: () => {
      const stat = statOf(path);
      if (stat && inode !== undefined && stat.ino !== inode)
        [end, pending] = [0, []]; // of another run, with a terminal
      else if (stat && stat.size < end) {
        // It was truncated: the times are of bytes that are gone.
        forgetTimes(path);
        [end, pending] = [0, []];
      }
      inode = stat?.ino;
      const isGrown = stat !== undefined && stat.size > end;
      if (isGrown) {
        const atMs = Math.max(stat.mtimeMs, lastMs);
        pending.push({ atMs, size: stat.size, isExact: !isFirst || atMs - lastMs < EXACT_MS });
        [lastMs, end] = [atMs, stat.size];
      }
      isFirst = false;
      return isGrown;
    },
    isPending: () => pending.length > 0,
    flush: () => {
      const [mine, now] = [pending, statOf(path)];
      pending = [];
      // A file that was renamed meanwhile took its index with it.
      if (mine.length > 0 && now?.ino === inode) appendTimes(path, mine, { onFault });
    },
  };
}

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });
