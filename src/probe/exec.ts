import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Tasks } from '../containerd/tasks.ts';
import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import { errnoOf, HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { decodeJson, encodeJson } from '../lib/json.ts';
import type { Logger } from '../lib/logger.ts';
import { holdFifo, makeFifo, openFifoReader } from '../system/fifo.ts';
import { killSession } from '../system/kill-session.ts';
import { readStat } from '../system/proc.ts';
import { createBoundedOutput } from './bounded-output.ts';
import { firstOf } from './first-of.ts';
import type { ExecCommand, Prober, ProbeTarget } from './prober.ts';

/** The exec ids of checks begin with this: what carries it while nobody holds the container's check lock was left by a caller that died. */
export const CHECK_EXEC_PREFIX = 'healthctl-check-';

/** Docker: daemon/health.go, the guard around starting the exec. The timeout of the check begins only after it. */
const START_LIMIT_MS = 30_000;
/** How long a child that keeps the output open may delay the result. Docker waits as long; so does the shim. */
const DRAIN_LIMIT_MS = 2_000;
/** How long a killed process may take to die before it is left to the next sweep: a frozen one cannot die on cgroup v1. */
const DEATH_LIMIT_MS = 2_000;
/** After the shim has closed its side, only what the pipe still holds is to be read. */
const LAST_BYTES_MS = 100;

export interface ExecProberOptions {
  readonly tasks: Tasks;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Docker's way: a fresh exec for each check, as the container's own OCI process with other arguments, so that nothing of its user, groups,
 * environment, capabilities, no_new_privs, limits or labels is lost. Both streams go through one FIFO, which keeps the order of arrival.
 */
export function createExecProber(options: ExecProberOptions): Prober<ExecCommand> {
  const { clock } = options;
  return {
    probe: async (target, command, signal) => {
      const processJson = checkProcessJson(target, command.args);
      await sweepExecs(options, target);
      const startMs = clock.now();
      if (signal?.aborted) return { outcome: { kind: 'cancelled' }, startMs, endMs: startMs };
      const execId = `${CHECK_EXEC_PREFIX}${randomBytes(8).toString('hex')}`;
      const outcome = await withOutput(join(target.scratchDir, execId), (output) =>
        runExec(options, { target, execId, processJson, output, signal }),
      );
      return { outcome, startMs, endMs: clock.now() };
    },
  };
}

/** The container's own process with other arguments, without a terminal, as JSON. Throws CORRUPT for a container without a runtime spec. */
function checkProcessJson({ containerId, processJson }: ProbeTarget, args: readonly string[]): string {
  const process = processJson === undefined ? undefined : decodeJson(processJson);
  if (typeof process !== 'object' || process === null)
    throw new HealthctlError('CORRUPT', `container ${containerId} has no runtime spec`);
  return encodeJson({ ...process, ...withoutTerminal(process), args });
}

/**
 * A check has no terminal, whatever the container has, and so not the variable that whoever made the container set because of it (Docker:
 * daemon/container CreateDaemonEnvironment, which sets it for a process with a terminal only).
 */
function withoutTerminal(process: object): object {
  const { terminal, env } = process as { readonly terminal?: unknown; readonly env?: unknown };
  const hadTerminal = terminal === true && Array.isArray(env);
  return {
    terminal: false,
    consoleSize: undefined,
    ...(hadTerminal ? { env: env.filter((variable) => variable !== 'TERM=xterm') } : {}),
  };
}

/** What a probe prints, on its way through a FIFO of its own. */
interface Output {
  readonly path: string;
  text(): string;
  /** To be called when the shim has opened the FIFO for both streams: from then on the end of the last one is the end of the output. */
  letEnd(): void;
  /** Resolves when the last writer has closed the FIFO. */
  readonly ended: Promise<void>;
  /** Leaves the directory, which is named after the exec: the note by which the next probe knows that the exec may still be there. */
  keepNote(): void;
}

async function withOutput<T>(dir: string, work: (output: Output) => Promise<T>): Promise<T> {
  const path = join(dir, 'output');
  mkdirSync(dir, { mode: 0o700 });
  const opened: (() => void)[] = [];
  let isNoteKept = false;
  try {
    makeFifo(path);
    const collected = createBoundedOutput();
    // The shim opens the FIFO twice, one stream after the other; a program that has ended by then would close it in between.
    const letEnd = holdFifo(path);
    opened.push(letEnd);
    const reader = openFifoReader(path);
    opened.push(() => reader.destroy());
    reader.on('data', (bytes: Buffer) => collected.add(bytes));
    const ended = new Promise<void>((resolve) => {
      reader.once('close', resolve);
      reader.once('error', () => resolve()); // what came before the error is the output
    });
    const keepNote = () => {
      isNoteKept = true;
    };
    return await work({ path, text: collected.text, letEnd, ended, keepNote });
  } finally {
    for (const close of opened) close();
    if (!isNoteKept) rmSync(dir, { recursive: true, force: true });
  }
}

interface Attempt {
  readonly target: ProbeTarget;
  readonly execId: string;
  readonly processJson: string;
  readonly output: Output;
  readonly signal: AbortSignal | undefined;
}

async function runExec(options: ExecProberOptions, attempt: Attempt): Promise<Outcome> {
  const { tasks } = options;
  const { target, execId, processJson, output } = attempt;
  const exec = { containerId: target.containerId, execId };
  try {
    await tasks.exec({ ...exec, processJson, stdin: '', stdout: output.path, stderr: output.path, terminal: false });
  } catch (error) {
    return couldNotStart(error, target);
  }
  const waiting = new AbortController();
  const exit = tasks.wait(exec, { signal: waiting.signal });
  exit.catch(() => undefined); // looked at where it is waited for
  try {
    const outcome = await startAndWatch(options, attempt, exit);
    const released = release(options, exec, output);
    if (outcome.kind === 'could-not-start') {
      await released; // nobody has opened the output
      return outcome;
    }
    await Promise.race([output.ended, options.clock.sleep(DRAIN_LIMIT_MS)]);
    await released; // by now the shim has closed its side, at the latest
    await Promise.race([output.ended, options.clock.sleep(LAST_BYTES_MS)]);
    return withText(outcome, output);
  } catch (error) {
    await release(options, exec, output);
    throw error;
  } finally {
    waiting.abort();
  }
}

async function startAndWatch(
  { tasks, clock }: ExecProberOptions,
  attempt: Attempt,
  exit: Promise<{ readonly status: number }>,
): Promise<Outcome> {
  const { target, execId, output, signal } = attempt;
  let pid: number;
  try {
    pid = await tasks.start({ containerId: target.containerId, execId }, { timeoutMs: START_LIMIT_MS });
  } catch (error) {
    return couldNotStart(error, target);
  }
  output.letEnd();
  const leader = { pid, startTimeTicks: readStat(pid)?.startTimeTicks ?? Number.NaN };
  const ended = exit.then(({ status }): Outcome => ({ kind: 'exited', code: status, output: '' }));
  const outcome = await firstOf(ended, { clock, timeoutNs: target.timeoutNs, signal });
  if (outcome.kind === 'exited') return outcome;
  killSession(leader);
  await Promise.race([ended.catch(() => undefined), clock.sleep(DEATH_LIMIT_MS)]);
  return outcome;
}

function withText(outcome: Outcome, output: Output): Outcome {
  return outcome.kind === 'exited' || outcome.kind === 'timed-out' ? { ...outcome, output: output.text() } : outcome;
}

/** That the runtime could not start the program is an outcome; that containerd cannot be asked is not. */
function couldNotStart(error: unknown, { containerId }: ProbeTarget): Outcome {
  if (hasCode(error, 'TIMEOUT'))
    return { kind: 'could-not-start', reason: `timed out starting health check for container ${containerId}` };
  if (hasCode(error, 'UNAVAILABLE', 'DENIED', 'ABORTED') || !(error instanceof HealthctlError)) throw error;
  return { kind: 'could-not-start', reason: runtimeTextOf(error.message) };
}

/** The runtime's own words, without what containerd and its shim put around them. */
export function runtimeTextOf(message: string): string {
  const at = message.indexOf('OCI runtime exec failed');
  return (at < 0 ? message : message.slice(at)).replace(/: unknown$/, '');
}

/** Deletes the exec. Where that fails, because a process is frozen or containerd is gone, the next probe sweeps it. */
async function release(
  { tasks, log }: ExecProberOptions,
  exec: { containerId: string; execId: string },
  output: Output,
): Promise<void> {
  try {
    await tasks.deleteExec(exec, { timeoutMs: DRAIN_LIMIT_MS + 8_000 });
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return;
    output.keepNote();
    log.debug(`exec ${exec.execId} is left to the next check: ${messageOf(error)}`);
  }
}

/** Ends and forgets the execs of checks whose callers died. The container's check lock must be held. */
export async function sweepExecs(
  { tasks, log }: Pick<ExecProberOptions, 'tasks' | 'log'>,
  target: Pick<ProbeTarget, 'containerId' | 'scratchDir'>,
): Promise<void> {
  const { containerId, scratchDir } = target;
  const left = notedExecs(scratchDir);
  if (left.length === 0) return;
  const letGo = holdOutputs(scratchDir, left);
  try {
    for (const execId of left) {
      const exec = { containerId, execId };
      if (await forgetExec({ tasks, log }, exec)) rmSync(join(scratchDir, execId), { recursive: true, force: true });
    }
  } finally {
    letGo();
  }
}

/** @returns whether it is gone */
async function forgetExec(
  { tasks, log }: Pick<ExecProberOptions, 'tasks' | 'log'>,
  exec: { readonly containerId: string; readonly execId: string },
): Promise<boolean> {
  try {
    if (await endExec(tasks, exec)) await tasks.deleteExec(exec);
    return true;
  } catch (error) {
    if (hasCode(error, 'UNAVAILABLE')) throw error;
    if (hasCode(error, 'NOT_FOUND')) return true;
    log.debug(`exec ${exec.execId} of an earlier check is still there: ${messageOf(error)}`);
    return false;
  }
}

/**
 * A shim that waits for a reader of a check's output, because its reader died, lets nothing else happen in the container, for 30 seconds.
 * Reads for all of them, so that the shim goes on.
 *
 * @returns lets go
 */
export function holdCheckOutputs(scratchDir: string): () => void {
  return holdOutputs(scratchDir, notedExecs(scratchDir));
}

function holdOutputs(scratchDir: string, execIds: readonly string[]): () => void {
  const held: (() => void)[] = [];
  const letGo = () => {
    for (const each of held) each();
  };
  try {
    for (const execId of execIds) held.push(holdIfThere(join(scratchDir, execId, 'output')));
    return letGo;
  } catch (error) {
    letGo();
    throw error;
  }
}

function holdIfThere(path: string): () => void {
  try {
    return holdFifo(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return () => {};
    throw error;
  }
}

/** Ends the check in flight, if there is one; whoever made it sees it killed and asks the task why. No lock is needed. */
export async function endChecks(tasks: Tasks, target: Pick<ProbeTarget, 'containerId' | 'scratchDir'>): Promise<void> {
  for (const execId of notedExecs(target.scratchDir)) await endExec(tasks, { containerId: target.containerId, execId });
}

function notedExecs(scratchDir: string): readonly string[] {
  try {
    return readdirSync(scratchDir).filter((name) => name.startsWith(CHECK_EXEC_PREFIX));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Kills what runs of an exec and waits for its end, for a while. @returns whether containerd knows the exec at all */
async function endExec(
  tasks: Tasks,
  exec: { readonly containerId: string; readonly execId: string },
): Promise<boolean> {
  const left = await tasks.findExec(exec);
  if (!left) return false;
  if (left.pid === 0 || left.status === 'stopped') return true;
  const stat = readStat(left.pid);
  if (stat) killSession(stat);
  try {
    await tasks.wait(exec, { timeoutMs: DEATH_LIMIT_MS });
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'TIMEOUT')) throw error;
  }
  return true;
}
