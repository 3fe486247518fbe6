import { closeSync, constants, ftruncateSync, statSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '../lib/clock.ts';
import { fileReasonOf, HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { noSpaceError, replaceFileSynced } from '../system/atomic-write.ts';
import { type FileLock, lockFile } from '../system/flock.ts';
import { makeOwnDirectory, openOwnFile, readOwnFile, removeOwn, setAsideDamaged } from '../system/own-file.ts';
import { MINUTE_MS } from './cell.ts';
import { lineFromChange } from './change-line.ts';
import { expired, type Limits } from './expiry.ts';
import { dayOf, filesSetAside, historyFiles, historyPath, sizeOf, unmergedJournals } from './files.ts';
import { eachJournaled, FrameWriter } from './journal.ts';
import { mergeDay } from './merge-day.ts';
import type { Change, KeyedSample } from './model.ts';
import { MAX_CHANGES_BYTES, MAX_JOURNAL_BYTES } from './reader.ts';
import { segmentOf } from './segment.ts';
import { Window } from './window.ts';

/**
 * Writes the history of one containerd.
 *
 * INVARIANTS
 * 1. One process writes it, and holds a lock on the directory. Others may read it meanwhile, see reader.ts.
 * 2. What an append has written survives `kill -9`; a power failure may lose what the kernel had not written yet. At any
 *    moment each sample is in a journal, in a segment, or in both; then the reader counts it once.
 * 3. Nothing blocks the thread for longer than it takes to encode a window.
 */
export interface HistoryStore {
  /**
   * Resolves when they are written; if it throws, none is. An empty list shows that the monitor runs. Wait for one
   * append before the next.
   *
   * @param atMs wall time
   * @throws EXHAUSTED for a full disk, and system errors
   */
  appendSamples(atMs: number, samples: readonly KeyedSample[]): Promise<void>;
  /** The same for changes. */
  appendChanges(atMs: number, changes: readonly Change[]): Promise<void>;
  /** Wall time of the last batch of an earlier process; undefined if there is none. */
  readonly lastMs: number | undefined;
  close(): Promise<void>;
}

export interface StoreDeps {
  readonly dir: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How much time a segment covers. To read the present window, a reader decodes it for all containers. */
const WINDOW_MS = 10 * MINUTE_MS;

/**
 * Opens the store, and continues the window of an earlier process. An object that is not a file of ours, or is damaged,
 * is renamed with a warning.
 *
 * @throws CONFLICT if another process writes it; system errors if the directory cannot be made
 */
export async function openHistoryStore(deps: StoreDeps): Promise<HistoryStore> {
  makeOwnDirectory(deps.dir, { onFault: (text) => deps.log.warn(text) });
  const lock = await lockDir(deps);
  try {
    return new FileHistoryStore(deps, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Monitors of different namespaces may have the same data root; then only the first one writes the history. */
async function lockDir({ dir, clock }: StoreDeps): Promise<FileLock> {
  try {
    return await lockFile({ path: dir, flags: constants.O_RDONLY | constants.O_DIRECTORY, timeoutMs: 0 }, clock);
  } catch (error) {
    if (!hasCode(error, 'TIMEOUT')) throw error;
    throw new HealthctlError(
      'CONFLICT',
      `another monitor writes the history in ${dir}: give one of them another data root`,
    );
  }
}

class FileHistoryStore implements HistoryStore {
  readonly #deps: StoreDeps;
  readonly #lock: FileLock;
  readonly #journal: AppendedFile;
  readonly #changes: AppendedFile;
  #frames = new FrameWriter();
  #window: Window | undefined;
  /** Damaged journals of the window, by path. What could be read of them is in the window. */
  readonly #damaged = new Set<string>();
  lastMs: number | undefined;

  constructor(deps: StoreDeps, lock: FileLock) {
    this.#deps = deps;
    this.#lock = lock;
    const onFault = (text: string): void => deps.log.warn(text);
    this.#journal = new AppendedFile(onFault);
    this.#changes = new AppendedFile(onFault);
    this.#window = this.#replay();
  }

  async appendSamples(atMs: number, samples: readonly KeyedSample[]): Promise<void> {
    if (this.#window && (this.#damaged.size > 0 || isOver(this.#window, atMs))) await this.#roll(this.#window);
    this.#window ??= this.#begin(atMs);
    if (!this.#journal.isOpen) this.#openJournal(this.#window);
    await this.#journal.append(this.#frames.frame(atMs, samples));
    for (const [key, sample] of samples) this.#window.add(key, sample);
  }

  async appendChanges(atMs: number, changes: readonly Change[]): Promise<void> {
    const path = historyPath(this.#deps.dir, 'changes', dayOf(atMs));
    if (this.#changes.path !== path) this.#changes.open(path);
    // More changes in one day are dropped: they would take the space of other days.
    if (this.#changes.size >= MAX_CHANGES_BYTES) return;
    await this.#changes.append(Buffer.from(changes.map(lineFromChange).join('')));
  }

  async close(): Promise<void> {
    this.#journal.close();
    this.#changes.close();
    this.#lock.release();
  }

  /** The window of an earlier process, from its journals. */
  #replay(): Window | undefined {
    const files = historyFiles(this.#deps.dir);
    const journals = unmergedJournals(files, 'raw');
    for (const { kind, path } of files)
      if (kind === 'journal' && !journals.some((one) => one.path === path)) removeOwn(path);
    const [first] = journals;
    if (!first) return undefined;
    const window = new Window(first.fromMs);
    for (const { path } of journals) this.#replayJournal(window, path);
    return window;
  }

  #replayJournal(window: Window, path: string): void {
    const { log } = this.#deps;
    const bytes = readOwnFile(path, { maxBytes: MAX_JOURNAL_BYTES, onFault: (text) => log.warn(text) });
    if (!bytes) return;
    const noteTime = (atMs = 0): void => {
      this.lastMs = Math.max(this.lastMs ?? 0, atMs) || undefined;
    };
    try {
      const { lastMs, isTorn } = eachJournaled(bytes, (key, sample) => {
        window.add(key, sample);
        noteTime(sample.atMs);
      });
      noteTime(lastMs);
      if (isTorn) log.debug(`${path}: its end is skipped: the write was interrupted`);
    } catch (error) {
      if (!hasCode(error, 'CORRUPT')) throw error;
      this.#damaged.add(path);
    }
  }

  #begin(atMs: number): Window {
    const taken = new Set(historyFiles(this.#deps.dir).map(({ fromMs }) => fromMs));
    let fromMs = Math.round(atMs);
    while (taken.has(fromMs)) fromMs += 1;
    return new Window(fromMs);
  }

  #openJournal({ fromMs }: Window): void {
    const path = historyPath(this.#deps.dir, 'journal', fromMs);
    let free = path;
    // An empty one is left by a write that failed.
    for (let number = 1; hasContent(free); number += 1) free = `${path}.${number}`;
    this.#frames = new FrameWriter();
    this.#journal.open(free);
  }

  /** Stores a past window by container, and removes its journals. */
  async #roll(window: Window): Promise<void> {
    const { dir } = this.#deps;
    try {
      if (!window.isEmpty) {
        await replaceFileSynced(historyPath(dir, 'minutes', window.fromMs), segmentOf(window.minutes()));
        await replaceFileSynced(historyPath(dir, 'raw', window.fromMs), segmentOf(window.samples()));
      }
    } catch (error) {
      this.#expire(); // frees space for the next try
      throw error;
    }
    this.#journal.close();
    this.#window = undefined;
    for (const { kind, path, fromMs } of historyFiles(dir))
      if (kind === 'journal' && fromMs === window.fromMs) this.#endJournal(path);
    await this.#mergeDays();
    this.#expire();
  }

  #endJournal(path: string): void {
    if (this.#damaged.delete(path)) this.#setAside(path);
    else removeOwn(path);
  }

  #setAside(path: string): void {
    setAsideDamaged(path, { onFault: (text) => this.#deps.log.warn(text) });
  }

  async #mergeDays(): Promise<void> {
    const { dir, clock } = this.#deps;
    const files = historyFiles(dir);
    const merged = new Set(files.filter(({ kind }) => kind === 'hours').map(({ fromMs }) => fromMs));
    const today = dayOf(clock.now());
    const days = new Set(files.filter(({ kind }) => kind === 'minutes').map(({ fromMs }) => dayOf(fromMs)));
    for (const dayMs of days) {
      if (dayMs >= today || merged.has(dayMs)) continue;
      const minutes = files.filter(({ kind, fromMs }) => kind === 'minutes' && dayOf(fromMs) === dayMs);
      const blocks = await mergeDay(minutes, {
        pause: () => clock.sleep(1),
        onDamaged: (path) => this.#setAside(path),
      });
      await replaceFileSynced(historyPath(dir, 'hours', dayMs), segmentOf(blocks));
    }
  }

  #expire(): void {
    const { dir, limits, clock, log } = this.#deps;
    const sized = historyFiles(dir).map((file) => ({ ...file, bytes: sizeOf(file) }));
    const oldAside = filesSetAside(dir).filter(({ fromMs }) => clock.now() - fromMs > limits.maxAgeMs);
    for (const { path } of [...expired(sized, limits, clock.now()), ...oldAside]) {
      try {
        removeOwn(path);
      } catch (error) {
        log.warn(`an old part of the history could not be removed: ${messageOf(error)}`);
      }
    }
  }
}

/** After WINDOW_MS, at the end of a day (UTC), and when the clock was set back to before the start of the window. */
const isOver = ({ fromMs }: Window, atMs: number): boolean =>
  atMs >= fromMs + WINDOW_MS || atMs < fromMs || dayOf(atMs) !== dayOf(fromMs);

const hasContent = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;

const writeAsync = promisify(write);

/** A file that only grows. A failed write leaves nothing in the file, and closes it. */
class AppendedFile {
  readonly #onFault: (text: string) => void;
  #fd: number | undefined;
  path: string | undefined;
  size = 0;

  constructor(onFault: (text: string) => void) {
    this.#onFault = onFault;
  }
  get isOpen(): boolean {
    return this.#fd !== undefined;
  }
  open(path: string): void {
    this.close();
    const flags = constants.O_WRONLY | constants.O_APPEND;
    const { fd, stats } = openOwnFile(path, flags, { onFault: this.#onFault });
    this.#fd = fd;
    this.path = path;
    this.size = stats.size;
  }
  async append(bytes: Buffer): Promise<void> {
    const fd = this.#fd;
    const path = this.path ?? '';
    if (fd === undefined) return;
    try {
      for (let at = 0; at < bytes.length; )
        at += (await writeAsync(fd, bytes, at, bytes.length - at, null)).bytesWritten;
      this.size += bytes.length;
    } catch (error) {
      this.#undo(fd);
      throw noSpaceError(error, path);
    }
  }
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.path = undefined;
  }
  #undo(fd: number): void {
    try {
      ftruncateSync(fd, this.size);
    } catch (error) {
      this.#onFault(`${this.path} has a damaged end: ${fileReasonOf(error)}`);
    }
    this.close();
  }
}
