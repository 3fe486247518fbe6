import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { MINUTE_MS } from './cell.ts';
import { dayOf } from './files.ts';
import { type Action, type Change, type KeyedSample, MAX_TEXT_BYTES, type Phase, type Sample } from './model.ts';
import type { HistoryStore } from './store.ts';

/** The facts about a container at one moment. */
interface ObservedContainer {
  /** See keyOf in src/lib/container-key.ts. */
  readonly key: string;
  readonly name: string;
  readonly image: string;
  readonly phase: Phase;
  /** When the phase began, wall time; limited to the time from the start of the previous phase until now. */
  readonly atMs: number;
  readonly exitCode: number | undefined;
  readonly reason: string;
}

/**
 * Collects what happens to containers, and writes it in batches.
 *
 * INVARIANTS
 * 1. A steady state costs one write of some bytes for each result, at most every FLUSH_MS, and one for each reader that
 *    asks for what is new.
 * 2. A store that fails never delays or fails a check: results wait in memory for the next try, up to a bound.
 */
export interface HistoryRecorder {
  /** Opens the store, and continues from what it has. Never fails. */
  start(): Promise<void>;
  sample(key: string, sample: Sample): void;
  /** Records a change of phase, if it is one. */
  observe(observed: ObservedContainer): void;
  action(key: string, taken: { readonly action: Action; readonly reason: string }): void;
  /**
   * Records what became of the known containers that are not there.
   *
   * @param keys the containers that are there
   * @param phaseOf of a container that is not: gone, or unchecked where the monitor does not look any more
   */
  markOthers(keys: ReadonlySet<string>, phaseOf: (key: string) => 'gone' | 'unchecked'): void;
  /** Writes what has not been written yet. Never fails. */
  flush(): Promise<void>;
  /** Writes what is left, then closes the store. */
  stop(): Promise<void>;
}

export interface RecorderDeps {
  /** Rejects if the store cannot be opened; the next batch tries again. */
  readonly openStore: () => Promise<HistoryStore>;
  /** The changes from which the present phases continue. */
  readonly recentChanges: () => readonly Change[];
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly log: Logger;
}

const FLUSH_MS = 5_000;
/** A batch without content, in this interval, shows that the monitor is running. */
const HEARTBEAT_MS = MINUTE_MS;
/**
 * The most results that wait for a store that fails: some minutes of a busy host. If there are more, the oldest are
 * dropped.
 */
const MAX_WAITING = 20_000;

interface Known {
  readonly name: string;
  readonly image: string;
  readonly phase: Phase;
  readonly sinceMs: number;
  readonly exitCode: number | undefined;
  /** Why the phase began. */
  readonly reason: string;
  /** Whether only an earlier monitor saw the phase: the first sight of it ends the gap between the two monitors. */
  readonly isInherited: boolean;
}

/** Records nothing: for a monitor whose settings turn history off. */
export const NO_HISTORY: HistoryRecorder = {
  start: async () => {},
  sample: () => {},
  observe: () => {},
  action: () => {},
  markOthers: () => {},
  flush: async () => {},
  stop: async () => {},
};

export const createHistoryRecorder = (deps: RecorderDeps): HistoryRecorder => new Recorder(deps);

class Recorder implements HistoryRecorder {
  readonly #deps: RecorderDeps;
  readonly #known = new Map<string, Known>();
  #samples: KeyedSample[] = [];
  #changes: Change[] = [];
  #store: HistoryStore | undefined;
  #hasFailed = false;
  #lastWriteMs = 0;
  #day: number;
  #timer: { cancel(): void } | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #isStopped = false;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
    this.#day = dayOf(deps.clock.now());
  }

  async start(): Promise<void> {
    await this.#open();
    this.#planFlush();
  }

  sample(key: string, sample: Sample): void {
    this.#samples.push([key, sample]);
    if (this.#samples.length > MAX_WAITING) this.#samples.splice(0, MAX_WAITING / 2);
  }

  observe({ key, name, image, phase, atMs, exitCode, reason }: ObservedContainer): void {
    const known = this.#known.get(key);
    const isSame = known?.phase === phase;
    if (isSame && known.name === name && known.image === image && !known.isInherited) return;
    if (!known && phase === 'gone') return; // it was never started
    const nowMs = this.#deps.clock.now();
    // The clock may have been set back since the previous phase began.
    const sinceMs = Math.min(isSame ? known.sinceMs : Math.max(atMs, known?.sinceMs ?? 0), nowMs);
    if (known?.name !== name || known.image !== image || known.isInherited)
      this.#change({ kind: 'seen', atMs: nowMs, key, name, image });
    const cause =
      isSame && known.reason !== ''
        ? { exitCode: known.exitCode, reason: known.reason }
        : { exitCode, reason: shortened(reason) };
    const change = { kind: 'phase', key, phase, ...cause } as const;
    if (!isSame) this.#change({ ...change, atMs: sinceMs });
    else if (known.isInherited) this.#change({ ...change, atMs: nowMs, sinceMs });
    if (phase === 'gone') this.#known.delete(key);
    else this.#known.set(key, { ...cause, name, image, phase, sinceMs, isInherited: false });
  }

  action(key: string, { action, reason }: { readonly action: Action; readonly reason: string }): void {
    this.#change({ kind: 'action', atMs: this.#deps.clock.now(), key, action, reason: shortened(reason) });
  }

  markOthers(keys: ReadonlySet<string>, phaseOf: (key: string) => 'gone' | 'unchecked'): void {
    const atMs = this.#deps.clock.now();
    for (const [key, { name, image }] of this.#known)
      if (!keys.has(key))
        this.observe({ ...{ key, name, image, phase: phaseOf(key), atMs }, exitCode: undefined, reason: '' });
  }

  /** Makes one write at a time. All calls during a write share the next one. */
  readonly flush = (): Promise<void> => {
    this.#next ??= this.#flushing.then(() => {
      this.#next = undefined;
      this.#flushing = this.#write();
      return this.#flushing;
    });
    return this.#next;
  };

  async stop(): Promise<void> {
    if (!this.#timer) return;
    this.#isStopped = true;
    this.#timer.cancel();
    this.#lastWriteMs = 0; // forces a write, which records the time of the end
    await this.flush();
    await this.#store?.close();
    this.#store = undefined;
  }

  #change(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > MAX_WAITING) this.#changes.splice(0, MAX_WAITING / 2);
  }

  #planFlush(): void {
    if (this.#isStopped) return;
    this.#timer = this.#deps.clock.after(FLUSH_MS, () => {
      void this.flush().then(() => this.#planFlush());
    });
  }

  /** Never fails. */
  async #write(): Promise<void> {
    const nowMs = this.#deps.clock.now();
    if (dayOf(nowMs) !== this.#day) this.#repeatPhases(nowMs);
    const isDue =
      this.#samples.length > 0 || this.#changes.length > 0 || Math.abs(nowMs - this.#lastWriteMs) >= HEARTBEAT_MS;
    const store = isDue ? await this.#open() : undefined;
    if (!store) return;
    const areSamplesWritten = await this.#writeSamples(store, nowMs);
    const areChangesWritten = await this.#writeChanges(store, nowMs);
    if (areSamplesWritten && areChangesWritten) this.#hasFailed = false;
  }

  async #writeSamples(store: HistoryStore, nowMs: number): Promise<boolean> {
    const samples = this.#samples;
    this.#samples = [];
    try {
      await store.appendSamples(nowMs, samples);
      this.#lastWriteMs = nowMs;
      return true;
    } catch (error) {
      this.#samples = [...samples, ...this.#samples].slice(-MAX_WAITING);
      this.#report(error);
      return false;
    }
  }

  async #writeChanges(store: HistoryStore, nowMs: number): Promise<boolean> {
    const changes = this.#changes;
    this.#changes = [];
    try {
      if (changes.length > 0) await store.appendChanges(nowMs, changes);
      return true;
    } catch (error) {
      this.#changes = [...changes, ...this.#changes].slice(-MAX_WAITING);
      this.#report(error);
      return false;
    }
  }

  async #open(): Promise<HistoryStore | undefined> {
    if (this.#store) return this.#store;
    try {
      const store = await this.#deps.openStore();
      const nowMs = this.#deps.clock.now();
      this.#store = store;
      if (this.#known.size === 0) this.#continuePhases(this.#deps.recentChanges());
      if (store.lastMs !== undefined && this.#lastWriteMs === 0)
        this.#changes.unshift({ kind: 'gap', atMs: store.lastMs, toMs: nowMs });
      return store;
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  #continuePhases(changes: readonly Change[]): void {
    const names = new Map<string, Pick<Known, 'name' | 'image'>>();
    for (const change of changes) {
      if (change.kind === 'seen') names.set(change.key, change);
      if (change.kind !== 'phase') continue;
      const { key, phase, atMs, sinceMs = atMs, exitCode, reason } = change;
      const known = this.#known.get(key);
      const { name = '', image = '' } = names.get(key) ?? {};
      if (phase === 'gone') this.#known.delete(key);
      else {
        const begun = known?.phase === phase ? known : { sinceMs, exitCode, reason };
        this.#known.set(key, { ...begun, name, image, phase, isInherited: true });
      }
    }
  }

  #repeatPhases(atMs: number): void {
    this.#day = dayOf(atMs);
    for (const [key, { name, image, phase, sinceMs, exitCode, reason, isInherited }] of this.#known) {
      if (isInherited) continue; // the first sight of it repeats it
      this.#change({ kind: 'seen', atMs, key, name, image });
      this.#change({ kind: 'phase', atMs, key, phase, sinceMs: Math.min(sinceMs, atMs), exitCode, reason });
    }
  }

  #report(error: unknown): void {
    if (!this.#hasFailed) this.#deps.log.warn(`the history is not written: ${messageOf(error)}`);
    this.#hasFailed = true;
  }
}

/** Limits the memory of waiting texts; the store itself limits each text by bytes. */
const shortened = (text: string): string => text.slice(0, MAX_TEXT_BYTES);
