import { constants, existsSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type HealthState, processOfRun, type StoredHealth } from '../health/state.ts';
import { jsonFromHealthState } from '../health/state-json.ts';
import { isMirrorDue } from '../health/transition.ts';
import type { Clock } from '../lib/clock.ts';
import { runDirOf, type StateDirs } from '../lib/dirs.ts';
import { errnoOf, HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import type { Logger } from '../lib/logger.ts';
import { reportOnce } from '../lib/report-once.ts';
import { noSpaceError, replaceFile, temporaryPrefix, unique } from '../system/atomic-write.ts';
import { type FileLock, lockFile } from '../system/flock.ts';
import { makeOwnDirectory, removeOwn } from '../system/own-file.ts';
import { isAlive, readStat } from '../system/proc.ts';
import { lineFromRecord, mirroredState, parseHealthFile } from './health-file.ts';
import { DEFAULT_LOG_ENTRIES, type HealthRecord, type HealthStore, type HealthSubject } from './health-store.ts';
import { readTail } from './read-tail.ts';
import { type StateDir, stateDirOf } from './state-dir.ts';

export interface FileHealthStoreOptions {
  readonly dirs: StateDirs;
  readonly clock: Clock;
  readonly log: Logger;
  /** Writes the mirror label. NOT_FOUND (the container is gone) is no failure. */
  readonly writeMirror: (subject: HealthSubject, json: string) => Promise<void>;
  /** Whether containerd still has the container. */
  readonly exists: (subject: HealthSubject) => Promise<boolean>;
  /** Number of results to keep. Default 5. */
  readonly maxEntries?: number;
  /** How long to wait for another writer. Default 10 s. */
  readonly writeTimeoutMs?: number;
  /** How long `remove` waits for a check in flight. Default 10 s. */
  readonly removeTimeoutMs?: number;
}

/** The file name that nerdctl expects. */
const HEALTH_FILE = 'health.json';
const CHECK_LOCK = 'check.lock';
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

const checkLockIn = (stateDir: string): string => `${stateDir}/${CHECK_LOCK}`;

/** The file that carries the check lock of a container. */
export const checkLockOf = (dirs: StateDirs, subject: HealthSubject): string =>
  checkLockIn(stateDirOf(dirs, subject).path);

/** Wall time at which the last result of a container was written; undefined if there is none. */
export const lastResultAtMs = (dirs: StateDirs, subject: HealthSubject): number | undefined => {
  const stats = lstatSync(`${stateDirOf(dirs, subject).path}/${HEALTH_FILE}`, { throwIfNoEntry: false });
  return stats?.isFile() && stats.size > 0 ? stats.mtimeMs : undefined;
};

/** Number of swept directories to remember: more than a host has containers. */
const MAX_SWEPT = 20_000;

/**
 * Stores health in files: `health.json` in the container's state directory is the truth, the label is its mirror.
 *
 * INVARIANTS
 * 1. `health.json` is only replaced, by rename(2), and only with the write lock held: flock on the state directory,
 *    which nerdctl's writer also locks before it appends in place (pkg/healthcheck/log.go). A lock on the file itself
 *    would lock an inode that is about to be replaced.
 * 2. `decide` sees what was read under that lock.
 * 3. A check lock lies beside the `health.json`, so that a process with another run root meets it; a scratch directory
 *    is always below our run root.
 * 4. `remove` renames the directory away before it empties it; a process that waited for one of its locks finds another
 *    inode and starts over.
 * 5. No file is created in the directory of a container that is gone: `nerdctl rm` deletes the container, then empties
 *    its directory, and fails if a file appears meanwhile. While the main process of a run lives, its container exists.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createFileHealthStore(options: FileHealthStoreOptions): HealthStore {
  const {
    dirs,
    clock,
    log,
    maxEntries = DEFAULT_LOG_ENTRIES,
    writeTimeoutMs = 10_000,
    removeTimeoutMs = 10_000,
  } = options;

  /**
   * Directories in which this process has removed the files of dead writers: it does so at its first update of each.
   */
  const swept = new Set<string>();

  /** Containers whose label names a directory that is not their own; one warning each. */
  const warned = new Set<string>();
  const usedStateDirOf = (subject: HealthSubject): StateDir => {
    const { ignored, ...dir } = stateDirOf(dirs, subject);
    if (ignored !== undefined && !warned.has(subject.id)) {
      warned.add(subject.id);
      log.warn(
        `container ${subject.id}: the label nerdctl/state-dir is ignored, it names no directory of this container: ${JSON.stringify(ignored)}`,
      );
    }
    return dir;
  };

  const warnOnce = reportOnce((text) => log.warn(text));
  const parse = (subject: HealthSubject, text: string) => {
    const { warnings, ...stored } = parseHealthFile(text, subject.labels, maxEntries);
    for (const warning of warnings) warnOnce(`container ${subject.id}: ${warning}`);
    return stored;
  };

  const mirror = async (subject: HealthSubject, after: HealthState, retries: number) => {
    if (!isMirrorDue({ mirrored: mirroredState(subject.labels), after, retries })) return;
    try {
      await options.writeMirror(subject, JSON.stringify(jsonFromHealthState(after)));
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return;
      log.warn(`container ${subject.id}: its health label could not be written: ${messageOf(error)}`);
    }
  };

  const update: HealthStore['update'] = async (subject, decide, { retries }) => {
    const dir = usedStateDirOf(subject);
    const warn = (text: string) => log.warn(`container ${subject.id}: ${text}`);
    const lock = await lockForWriting(dir, { timeoutMs: writeTimeoutMs, clock, warn });
    try {
      sweepOnce(dir);
      const stored = parse(subject, readTail(`${dir.path}/${HEALTH_FILE}`));
      const record = decide(stored);
      if (!record) {
        if (stored.state) await mirror(subject, stored.state, retries);
        return stored;
      }
      if (!isRunAlive(record.state.run)) await refuseGone(subject);
      const after = append(dir, stored, record, maxEntries);
      await mirror(subject, record.state, retries);
      return after;
    } finally {
      lock.release();
    }
  };

  const refuseGone = async (subject: HealthSubject): Promise<void> => {
    if (!(await options.exists(subject))) throw new HealthctlError('NOT_FOUND', `container ${subject.id} is gone`);
  };

  const sweepOnce = (dir: StateDir): void => {
    if (swept.has(dir.path)) return;
    sweepTemporaries(dir);
    if (swept.size >= MAX_SWEPT) swept.clear();
    swept.add(dir.path);
  };

  /** Evaluated again for each try: nerdctl may have removed its directory meanwhile. */
  const lockDirOf = (subject: HealthSubject): string => usedStateDirOf(subject).path;
  const withCheckLock = async <T>(
    subject: HealthSubject,
    work: (lock: { scratchDir: string }) => Promise<T>,
    wait: Wait,
  ): Promise<T> => {
    const runDir = runDirOf(dirs, subject);
    const lock = await retryMissing(dirs, runDir, () =>
      lockFile(
        {
          path: checkLockIn(lockDirOf(subject)),
          flags: constants.O_RDWR | constants.O_CREAT,
          ...wait,
          onFault: dirs.onFault,
          beforeCreating: () => refuseGone(subject),
        },
        clock,
      ),
    );
    try {
      if (!existsSync(runDir)) for (const each of [dirname(runDir), runDir]) makeOwnDirectory(each, dirs);
      return await work({ scratchDir: runDir });
    } finally {
      lock.release();
    }
  };

  return {
    get: async (subject) => {
      const { log: results, state } = parse(subject, readTail(join(usedStateDirOf(subject).path, HEALTH_FILE)));
      return { log: results, state };
    },
    update,
    withCheckLock: (subject, work, signal) =>
      withCheckLock(subject, work, { timeoutMs: Number.POSITIVE_INFINITY, signal }),
    remove: async (subject) => {
      const runDir = runDirOf(dirs, subject);
      // Nobody holds a lock that does not exist. It is not created: nerdctl may be emptying the directory now.
      const request = { path: checkLockIn(lockDirOf(subject)), flags: constants.O_RDWR, timeoutMs: removeTimeoutMs };
      const lock = await unlessMissing(lockFile(request, clock));
      try {
        swept.delete(runDir);
        await removeRunDir(runDir, { timeoutMs: writeTimeoutMs, clock });
      } finally {
        lock?.release();
      }
    },
  };
}

/** Renames the directory away under its write lock, and removes it. Anything else under its name is removed too. */
async function removeRunDir(runDir: string, { timeoutMs, clock }: Omit<Writing, 'warn'>): Promise<void> {
  const away = join(dirname(runDir), `.removed-${basename(runDir)}-${process.pid}`);
  const lock = await unlessMissing(lockFile({ path: runDir, flags: DIRECTORY, timeoutMs }, clock));
  try {
    if (lock) renameSync(runDir, away);
  } finally {
    lock?.release();
  }
  removeOwn(lock ? away : runDir);
}

async function unlessMissing(locking: Promise<FileLock>): Promise<FileLock | undefined> {
  try {
    return await locking;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean => errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';

/** Whether the main process of a run certainly lives. */
function isRunAlive(run: string | undefined): boolean {
  const process = run === undefined ? undefined : processOfRun(run);
  const stat = process && readStat(process.pid);
  return stat !== undefined && isAlive(stat) && stat.startTimeTicks === process?.startTimeTicks;
}

interface Writing {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
}

interface Wait {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

function append(
  dir: StateDir,
  stored: { readonly log: StoredHealth['log']; readonly lines: readonly string[] },
  record: HealthRecord,
  maxEntries: number,
): StoredHealth {
  const lines = [...stored.lines, lineFromRecord(record)].slice(-maxEntries);
  replaceFile(`${dir.path}/${HEALTH_FILE}`, `${lines.join('\n')}\n`);
  return { log: [...stored.log, record.result].slice(-maxEntries), state: record.state };
}

/** Takes the write lock. Anything but a file under the name `health.json` is set aside. */
async function lockForWriting(dir: StateDir, writing: Writing): Promise<FileLock> {
  const lock = await lockStateDir(dir, writing);
  try {
    setAside(dir, writing.warn);
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Creates a missing directory of ours, never one of nerdctl's. */
function lockStateDir(dir: StateDir, { timeoutMs, clock, warn }: Writing): Promise<FileLock> {
  const lock = () => lockFile({ path: dir.path, flags: DIRECTORY, timeoutMs }, clock);
  return dir.isOurs ? retryMissing({ onFault: warn }, dir.path, lock) : lock();
}

/**
 * Creates a missing directory and tries again, for as long as another process keeps removing it. Anything else under
 * the directory's name, or that of its namespace, is set aside.
 */
async function retryMissing<T>(faults: FaultReporter, dir: string, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      if (tries > 0) for (const each of [dirname(dir), dir]) makeOwnDirectory(each, faults);
      return await attempt();
    } catch (error) {
      if (!isMissing(error) || tries > 10) throw explainDirectory(error, dir);
    }
  }
}

function explainDirectory(error: unknown, dir: string): unknown {
  const errno = errnoOf(error);
  if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS') {
    return new HealthctlError('DENIED', `cannot write in ${dir}: ${errno}`, {
      cause: error,
      hint: 'run as root, or move the run root with --run-root',
    });
  }
  return noSpaceError(error, dir);
}

/**
 * Sets aside anything but a file under the name `health.json`: such an object, hostile or accidental, must not stop
 * checks.
 */
function setAside(dir: StateDir, warn: (text: string) => void): void {
  const path = join(dir.path, HEALTH_FILE);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat || stat.isFile()) return;
  const aside = `${path}.not-a-file-${unique()}`;
  renameSync(path, aside);
  warn(`${path} was not a file; it is now ${aside}`);
}

/** Removes temporary files. While the write lock is held, such a file was left by a writer that died. */
function sweepTemporaries(dir: StateDir): void {
  const prefix = temporaryPrefix(HEALTH_FILE);
  for (const name of readdirSync(dir.path)) {
    if (name.startsWith(prefix)) rmSync(join(dir.path, name), { force: true });
  }
}
