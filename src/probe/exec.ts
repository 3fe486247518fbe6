import { join } from 'node:path';
import { runtimeTextOf } from '../containerd/runtime-texts.ts';
import type { Tasks } from '../containerd/tasks.ts';
import type { Outcome } from '../health/result.ts';
import { type Clock, startStopwatch } from '../lib/clock.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { randomHex } from '../lib/random.ts';
import { killSession, type SessionLeader, sessionLeaderOf } from '../system/kill-session.ts';
import { CHECK_EXEC_PREFIX, DEATH_LIMIT_MS, deleteExec, sweepExecs } from './check-execs.ts';
import { type CheckOutput, withOutput } from './check-output.ts';
import { checkProcessJson } from './check-process.ts';
import { type Ended, firstOf } from './first-of.ts';
import type { ExecCommand, Prober, ProbeTarget, StartGate } from './prober.ts';
import { within } from './within.ts';

/** Docker: daemon/health.go, the guard around starting the exec. The timeout of the check begins after the start. */
export const START_LIMIT_MS = 30_000;
/**
 * How long a child that keeps the output open may delay the result. Docker waits as long; so does the shim, when the
 * exec is deleted, before it closes its side. After that only the content of the pipe remains to be read.
 */
const DRAIN_LIMIT_MS = 2_000;
const LAST_BYTES_MS = 100;

export interface ExecProberOptions {
  readonly tasks: Tasks;
  readonly clock: Clock;
  readonly log: Logger;
  /** Absent: every command starts at once. */
  readonly starts?: StartGate;
}

/**
 * Docker's way: a fresh exec for each check, as the container's own OCI process with other arguments, so that it keeps
 * user, groups, environment, capabilities, no_new_privs, limits and labels. Both streams go through one FIFO, which
 * keeps the order of arrival.
 */
export function createExecProber(options: ExecProberOptions): Prober<ExecCommand> {
  const { clock } = options;
  return {
    probe: async (target, command, signal) => {
      const processJson = checkProcessJson(target, command.args);
      await sweepExecs(options, target, { residents: false });
      const onStarted = await passGate(options.starts, signal);
      const { startMs, endMs } = startStopwatch(clock);
      if (!onStarted || signal?.aborted) {
        onStarted?.();
        return { outcome: { kind: 'cancelled' }, startMs, endMs: endMs() };
      }
      try {
        const execId = `${CHECK_EXEC_PREFIX}${randomHex(8)}`;
        const outcome = await withOutput(join(target.scratchDir, execId), clock, (output) =>
          runExec(options, { target, execId, processJson, output, signal, onStarted }),
        );
        return { outcome, startMs, endMs: endMs() };
      } finally {
        onStarted();
      }
    },
  };
}

const NEVER = new AbortController().signal;

/** @returns a function that releases the slot; undefined if the signal fires first */
export async function passGate(
  gate: StartGate | undefined,
  signal: AbortSignal | undefined,
): Promise<(() => void) | undefined> {
  return gate ? gate.acquire(signal ?? NEVER) : () => {};
}

interface Attempt {
  readonly target: ProbeTarget;
  readonly execId: string;
  readonly processJson: string;
  readonly output: CheckOutput;
  readonly signal: AbortSignal | undefined;
  /** Called when the command was started or failed to start: waiting for its end costs nothing. */
  readonly onStarted: () => void;
}

async function runExec(options: ExecProberOptions, attempt: Attempt): Promise<Outcome> {
  const { tasks } = options;
  const { target, execId, processJson, output } = attempt;
  const exec = { containerId: target.containerId, execId };
  const release = async (): Promise<boolean> => {
    const { isGone } = await deleteExec(options, exec);
    if (!isGone) output.keepNote();
    return isGone;
  };
  try {
    await tasks.exec({ ...exec, processJson, stdin: '', stdout: output.path, stderr: output.path, terminal: false });
  } catch (error) {
    if (hasCode(error, 'TIMEOUT', 'ABORTED')) await release(); // the shim may still create it
    return couldNotStart(error, target);
  }
  try {
    const started = await start(tasks, attempt);
    attempt.onStarted();
    if (started.kind === 'could-not-start') {
      await release();
      return started; // the output was never opened
    }
    output.letEnd();
    const leader = sessionLeaderOf(started.pid);
    // Most checks have ended by now: deleting the exec, which is needed anyway, returns the exit status. The shim may
    // not have seen the end yet.
    const hasEnded = leader.session === undefined && output.hasEnded();
    const exit = hasEnded ? (await deleteExec(options, exec)).exit : undefined;
    if (exit) {
      if (target.reap) await killSession(leader, { clock: options.clock });
      return { kind: 'exited', code: exit.status, output: output.text() };
    }
    const outcome = await watch(options, attempt, { leader, startMs: options.clock.now() });
    const isGone = await release();
    await output.readToEnd(isGone ? LAST_BYTES_MS : DRAIN_LIMIT_MS);
    return withText(outcome, output);
  } catch (error) {
    await release();
    throw error;
  }
}

async function start(
  tasks: Tasks,
  { target, execId }: Attempt,
): Promise<{ readonly kind: 'started'; readonly pid: number } | (Outcome & { readonly kind: 'could-not-start' })> {
  const { containerId } = target;
  try {
    return { kind: 'started', pid: await tasks.start({ containerId, execId }, { timeoutMs: START_LIMIT_MS }) };
  } catch (error) {
    return couldNotStart(error, target);
  }
}

/** An explicit reason: without one, each abort creates an exception with a stack that nobody reads. */
const OVER = 'over';

async function watch(
  { tasks, clock }: ExecProberOptions,
  attempt: Attempt,
  { leader, startMs }: { readonly leader: SessionLeader; readonly startMs: number },
): Promise<Outcome> {
  const { target, execId, output, signal } = attempt;
  const waiting = new AbortController();
  const ended = tasks
    .wait({ containerId: target.containerId, execId }, { signal: waiting.signal })
    .then(({ status, atMs }): Ended => ({ outcome: { kind: 'exited', code: status, output: '' }, atMs }));
  ended.catch(() => undefined); // handled where it is awaited
  output.readAlongSoon();
  try {
    const outcome = await firstOf(ended, { clock, timeoutNs: target.timeoutNs, startMs, signal });
    if (outcome.kind !== 'exited' || target.reap) await killSession(leader, { clock });
    if (outcome.kind === 'exited') return outcome;
    await within(clock, DEATH_LIMIT_MS, ended);
    return outcome;
  } finally {
    waiting.abort(OVER);
  }
}

function withText(outcome: Outcome, output: CheckOutput): Outcome {
  return outcome.kind === 'exited' || outcome.kind === 'timed-out' ? { ...outcome, output: output.text() } : outcome;
}

/** It is an outcome if the runtime could not start the program, but not if containerd cannot be reached. */
function couldNotStart(
  error: unknown,
  { containerId }: Pick<ProbeTarget, 'containerId'>,
): Outcome & { readonly kind: 'could-not-start' } {
  if (hasCode(error, 'TIMEOUT'))
    return { kind: 'could-not-start', reason: `timed out starting health check for container ${containerId}` };
  if (hasCode(error, 'UNAVAILABLE', 'DENIED', 'ABORTED') || !(error instanceof HealthctlError)) throw error;
  return { kind: 'could-not-start', reason: runtimeTextOf(error.message) };
}
