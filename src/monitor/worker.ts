import type { CheckReport } from '../check/check.ts';
import type { HealthConfig } from '../health/config.ts';
import { adoptedCheckAtMs, nextCheckAtMs } from '../health/schedule.ts';
import type { HealthStatus } from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { hasCode } from '../lib/errors.ts';
import type { Agenda, Appointment } from './agenda.ts';
import type { Limiter } from './limiter.ts';

/** The facts about its run when a worker begins. */
export interface WorkerBeginning {
  readonly config: HealthConfig;
  /** How long the run has had its present test: see testedForMs in src/health/state.ts. */
  readonly testedForMs: number;
  readonly status: HealthStatus;
  /** Time since the end of the last check; undefined if no check of this run has ended yet. */
  readonly sinceLastEndMs: number | undefined;
  /** In [0, 1): position of an overdue first check within a wait (see adoptedCheckAtMs). */
  readonly share: number;
  readonly isPaused: boolean;
}

export interface WorkerDeps {
  readonly clock: Clock;
  readonly agenda: Agenda;
  /** The limiter that gives slots to the check. */
  readonly limiterOf: (config: HealthConfig) => Limiter;
  /** Makes one check of this run. Failures are reported to onFailure, and the schedule continues. */
  readonly check: (signal: AbortSignal) => Promise<CheckReport>;
  /** @param lagMs lateness of the start of a recorded check, in milliseconds; undefined for a dropped one */
  readonly onReport: (report: CheckReport, lagMs: number | undefined) => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Checks one run of one container by the schedule, until it is stopped.
 *
 * INVARIANTS
 * 1. It is in exactly one State; each way out of one ends what belongs to it.
 * 2. A pause, a stop and a new config end a turn in flight, whose result is then not reported.
 * 3. `stop` resolves when nothing of the worker is left.
 */
export interface Worker {
  pause(): void;
  /** Checks continue after one wait, by the rule of that moment. */
  resume(): void;
  /** @param startsOver whether the check is another one: `starting` again, with a new start period */
  reconfigure(config: HealthConfig, startsOver: boolean): void;
  /** Sets the status that another tool's check gave: it decides which interval applies. */
  setStatus(status: HealthStatus): void;
  /** Whether a check is in flight or waits for its slot. */
  readonly isBusy: boolean;
  /** Monotonic time of the next check; undefined if none is planned. */
  readonly nextAtMs: number | undefined;
  stop(): Promise<void>;
}

type State =
  /** Waits until the next check is due. */
  | { readonly kind: 'waiting'; readonly appointment: Appointment }
  /** A check is in flight, or waits for its slot. */
  | { readonly kind: 'checking' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'stopped' };

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function startWorker(deps: WorkerDeps, beginning: WorkerBeginning): Worker {
  const { clock, agenda, limiterOf } = deps;
  let { config, status } = beginning;
  // The wall clock may jump: only monotonic time is used here.
  let graceFromMs = clock.monotonic() - beginning.testedForMs;
  let state: State = { kind: 'paused' };
  /** The end of the last turn, until it is reached: an interrupted turn may still be releasing its exec. */
  let lastTurn: Promise<void> | undefined;
  /**
   * Shared by successive turns and replaced on an interrupt: a controller per check would dominate the cost of
   * scheduling.
   */
  let abort = new AbortController();

  const facts = (fromMs: number) => ({ fromMs, graceFromMs, status, config });
  const plan = (dueMs: number): void => {
    state = { kind: 'waiting', appointment: agenda.at(dueMs, () => begin(dueMs)) };
  };
  const begin = (dueMs: number): void => {
    state = { kind: 'checking' };
    const { signal } = abort;
    const turn = lastTurn ? lastTurn.then(() => takeTurn(dueMs, signal)) : takeTurn(dueMs, signal);
    lastTurn = turn;
    void turn.then(() => {
      if (lastTurn === turn) lastTurn = undefined;
    });
  };
  const takeTurn = async (dueMs: number, signal: AbortSignal): Promise<void> => {
    const release = await limiterOf(config).acquire(signal);
    if (!release) return;
    const [beganMs, wallBeganMs] = [clock.monotonic(), clock.now()];
    let endMs: number | undefined;
    let lagMs: number | undefined;
    try {
      const report = await deps.check(signal);
      if (signal.aborted) return;
      if (report.kind === 'recorded') {
        status = report.state.status;
        const onMonotonic = (wall: string): number => beganMs + Date.parse(wall) - wallBeganMs;
        endMs = onMonotonic(report.result.end);
        lagMs = onMonotonic(report.result.start) - dueMs;
      }
      deps.onReport(report, lagMs);
    } catch (error) {
      if (signal.aborted || hasCode(error, 'ABORTED')) return;
      deps.onFailure(error);
    } finally {
      release();
      if (!signal.aborted)
        plan(nextCheckAtMs(facts(Math.max(beganMs, Math.min(endMs ?? Number.POSITIVE_INFINITY, clock.monotonic())))));
    }
  };
  const enter = (next: State): void => {
    if (state.kind === 'waiting') state.appointment.cancel();
    if (state.kind === 'checking') {
      abort.abort();
      abort = new AbortController();
    }
    state = next;
  };

  if (!beginning.isPaused) {
    const { sinceLastEndMs } = beginning;
    const fromMs = sinceLastEndMs === undefined ? graceFromMs : clock.monotonic() - sinceLastEndMs;
    plan(adoptedCheckAtMs({ ...facts(fromMs), nowMs: clock.monotonic(), share: beginning.share }));
  }
  return {
    pause: () => {
      if (state.kind !== 'stopped') enter({ kind: 'paused' });
    },
    resume: () => {
      if (state.kind === 'paused') plan(nextCheckAtMs(facts(clock.monotonic())));
    },
    reconfigure: (next, startsOver) => {
      if (state.kind === 'stopped') return;
      config = next;
      if (startsOver) {
        status = 'starting';
        graceFromMs = clock.monotonic();
      }
      if (state.kind === 'paused') return;
      enter({ kind: 'paused' });
      plan(nextCheckAtMs(facts(clock.monotonic())));
    },
    setStatus: (next) => {
      status = next;
    },
    get isBusy() {
      return lastTurn !== undefined;
    },
    get nextAtMs() {
      return state.kind === 'waiting' ? state.appointment.dueMs : undefined;
    },
    stop: async () => {
      enter({ kind: 'stopped' });
      await lastTurn;
    },
  };
}
