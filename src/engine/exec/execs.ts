import type { ExecProcess } from '../../container/exec/exec-process.ts';
import type { Clock } from '../../lib/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { randomHex } from '../../lib/random.ts';
import { EngineError } from '../errors.ts';
import type { ExecWish } from './exec-request.ts';

/** An exec of Docker's API. */
export interface Exec {
  /** 64 hex digits. */
  readonly id: string;
  readonly containerId: string;
  readonly wish: ExecWish;
  readonly state: ExecState;
  /** Resolves when it runs, or cannot be started. */
  readonly started: Promise<void>;
}

type ExecState =
  | { readonly kind: 'created'; readonly process: ExecProcess }
  | { readonly kind: 'running'; readonly pid: number }
  | { readonly kind: 'ended'; readonly pid: number; readonly exitCode: number; readonly endedAtMs: number };

/** An exec that is being run. */
export interface RunningExec {
  readonly process: ExecProcess;
  runs(pid: number): void;
  /** It has ended, or could not be started. */
  ended(exitCode: number): void;
}

/**
 * The execs of Docker's API: containerd forgets one that has ended, and clients ask for its exit code afterwards.
 *
 * INVARIANT: bounded by MAX_KEPT and the number of execs that run.
 */
export interface Execs {
  add(exec: { readonly containerId: string; readonly wish: ExecWish; readonly process: ExecProcess }): Exec;
  /** Throws NOT_FOUND `No such exec instance: x`. */
  get(id: string): Exec;
  /** Throws CONFLICT for one that runs or has run. */
  begin(id: string): RunningExec;
  /** Those of a container that have not ended. */
  idsOf(containerId: string): readonly string[];
  /** The container has ended: what was not started never will be. */
  containerEnded(containerId: string): void;
  containerRemoved(containerId: string): void;
}

/** Docker removes ended ones after five to ten minutes (moby: daemon/exec.go). */
const KEPT_MS = 10 * 60_000;
const MAX_KEPT = 4_096;

export function createExecs({ clock }: { readonly clock: Pick<Clock, 'monotonic'> }): Execs {
  const execs = new Map<string, Entry>();
  const drop = (isToDrop: (entry: Entry) => boolean): void => {
    for (const [id, entry] of execs) if (isToDrop(entry)) execs.delete(id);
  };
  const makeRoom = (): void => {
    const oldestMs = clock.monotonic() - KEPT_MS;
    drop(({ state }) => state.kind === 'ended' && state.endedAtMs < oldestMs);
    let excess = execs.size + 1 - MAX_KEPT;
    drop(({ state }) => {
      if (state.kind === 'running' || excess <= 0) return false;
      excess -= 1;
      return true;
    });
  };
  const get = (id: string): Entry => {
    const entry = execs.get(id);
    if (!entry) throw new HealthctlError('NOT_FOUND', `No such exec instance: ${id}`);
    return entry;
  };
  return {
    add: ({ containerId, wish, process }) => {
      makeRoom();
      const id = randomHex(32);
      const { promise: started, resolve: isStarted } = openPromise();
      const entry: Entry = { id, containerId, wish, started, state: { kind: 'created', process }, isStarted };
      execs.set(id, entry);
      return entry;
    },
    get,
    begin: (id) => {
      const entry = get(id);
      const { state } = entry;
      if (state.kind !== 'created') {
        const what = state.kind === 'running' ? 'is already running' : 'has already run';
        throw new EngineError(409, `exec command ${id} ${what}`);
      }
      entry.state = { kind: 'running', pid: 0 };
      return {
        process: state.process,
        runs: (pid) => {
          entry.state = { kind: 'running', pid };
          entry.isStarted();
        },
        ended: (exitCode) => {
          const pid = entry.state.kind === 'running' ? entry.state.pid : 0;
          entry.state = { kind: 'ended', pid, exitCode, endedAtMs: clock.monotonic() };
          entry.isStarted();
        },
      };
    },
    idsOf: (wanted) =>
      [...execs.values()].flatMap(({ id, containerId, state }) =>
        containerId === wanted && state.kind !== 'ended' ? [id] : [],
      ),
    containerEnded: (id) => drop(({ containerId, state }) => containerId === id && state.kind === 'created'),
    containerRemoved: (id) => drop(({ containerId }) => containerId === id),
  };
}

/** A promise, and the function that resolves it. */
export function openPromise(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve: () => resolve() };
}

interface Entry extends Exec {
  state: ExecState;
  isStarted(): void;
}
