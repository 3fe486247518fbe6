import type { Result } from '../health/result.ts';
import type { HealthState, StoredHealth } from '../health/state.ts';

/** The container whose health is stored. */
export interface HealthSubject {
  readonly namespace: string;
  readonly id: string;
  /** Its present labels in containerd: they name the state directory of foreign containers and contain the mirror. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A result and the state after it. */
export interface HealthRecord {
  readonly result: Result;
  readonly state: HealthState;
}

/** Valid while a check lock is held. */
interface CheckLock {
  /** A directory for FIFOs and the like, for this container and the holder of its check lock. It exists. */
  readonly scratchDir: string;
}

/**
 * Stores health: one truth per container, one writer at a time. Every implementation passes
 * test/contract/health-store.ts.
 *
 * `update` is the only write of health state. It holds a lock for milliseconds and **reads again** under it: what a
 * caller has in memory is only a cache. The check lock is another lock, held for a whole check, so that checks of a
 * container never overlap.
 */
export interface HealthStore {
  /**
   * Returns the stored health. Takes no lock; a reader never sees a log that contradicts the state. Damage is skipped
   * with a warning, never thrown.
   */
  get(subject: HealthSubject): Promise<StoredHealth>;

  /**
   * Applies `decide` to the stored health under the write lock, and stores the record that it returns; undefined leaves
   * the stored health unchanged. `decide` is pure and may not wait. In both cases the mirror label is written if
   * isMirrorDue says so: a crash may have come between the file and the label, and nerdctl may have restored an old
   * label.
   *
   * @returns what is stored afterwards
   * @throws EXHAUSTED if there is no space; the old state stays intact
   */
  update(
    subject: HealthSubject,
    decide: (stored: StoredHealth) => HealthRecord | undefined,
    options: { readonly retries: number },
  ): Promise<StoredHealth>;

  /**
   * Runs `work` while no other process or caller checks this container. Waits for its turn; ABORTED if the signal fires
   * meanwhile. The lock is released however `work` ends, also when the process dies.
   */
  withCheckLock<T>(subject: HealthSubject, work: (lock: CheckLock) => Promise<T>, signal?: AbortSignal): Promise<T>;

  /**
   * Deletes log, state and scratch directory of the container. Waits for a check in flight. It is no error if there is
   * nothing to delete.
   */
  remove(subject: HealthSubject): Promise<void>;
}

/** Number of results that the log keeps. Docker: daemon/health.go maxLogEntries. */
export const DEFAULT_LOG_ENTRIES = 5;
