import type { Result } from '../health/result.ts';
import type { HealthState, StoredHealth } from '../health/state.ts';

/** The container that health is stored of. */
export interface HealthSubject {
  readonly namespace: string;
  readonly id: string;
  /** Its labels as containerd has them now: they say where foreign containers keep their state, and hold the mirror. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A result and the state after it. */
export interface HealthRecord {
  readonly result: Result;
  readonly state: HealthState;
}

/** Holds while a check lock is held. */
interface CheckLock {
  /** A directory for FIFOs and the like, of this container and of whoever holds its check lock. It exists. */
  readonly scratchDir: string;
}

/**
 * Where health is kept: one truth per container, one writer at a time. Every implementation passes test/contract/health-store.ts.
 *
 * `update` is the only write of health state. It holds a lock for milliseconds, and **reads again** under it: what a caller has in memory is
 * only a cache. A check lock is another lock, held for a whole check by whoever makes one, so that checks of a container never overlap.
 */
export interface HealthStore {
  /** What is stored. Takes no lock; a reader never sees a log that contradicts the state. Damage is skipped with a warning, never thrown. */
  get(subject: HealthSubject): Promise<StoredHealth>;

  /**
   * Applies `decide` to what is stored under the write lock, and stores the record that it returns; undefined leaves what is stored as it is.
   * `decide` is pure and may not wait. In both cases the mirror label is written where isMirrorDue says so: a crash may have come between
   * the file and the label, and nerdctl may have put an old one back.
   *
   * @returns what is stored afterwards
   * @throws EXHAUSTED when there is no space; the old state stays whole then
   */
  update(
    subject: HealthSubject,
    decide: (stored: StoredHealth) => HealthRecord | undefined,
    options: { readonly retries: number },
  ): Promise<StoredHealth>;

  /**
   * Runs `work` while no other process or caller checks this container. Waits for its turn; ABORTED when the signal fires meanwhile.
   * The lock is free again when `work` ends in whatever way, the death of the process included.
   */
  withCheckLock<T>(subject: HealthSubject, work: (lock: CheckLock) => Promise<T>, signal?: AbortSignal): Promise<T>;

  /** Forgets the container: log, state, scratch directory. Waits for a check in flight. Removing what does not exist is fine. */
  remove(subject: HealthSubject): Promise<void>;
}

/** How many results the log keeps. Docker: daemon/health.go maxLogEntries. */
export const DEFAULT_LOG_ENTRIES = 5;
