import { join } from 'node:path';
import type { Tasks } from '../containerd/tasks.ts';
import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { randomHex } from '../lib/random.ts';
import { killSession, type SessionLeader, sessionLeaderOf } from '../system/kill-session.ts';
import { childrenOf, readCommandLine, readEnvironment } from '../system/proc.ts';
import { createSessionView } from '../system/session-view.ts';
import { makeSubreaper } from '../system/subreaper.ts';
import { DEATH_LIMIT_MS, deleteExec, RESIDENT_EXEC_PREFIX } from './check-execs.ts';
import { type Ended, firstOf } from './first-of.ts';
import { createMarkedOutput, type MarkedOutput } from './marked-output.ts';
import type { ProbeTarget } from './prober.ts';
import { openPipes, type Pipes } from './resident-pipes.ts';
import { type Environment, environmentFrom, isLookingChild, planResidence } from './resident-script.ts';

/** Longer than any answer: a writer of more on control is not our script. */
const MAX_ANSWER_LENGTH = 64;
/**
 * How long a killed check may take to end, and the answer to `end` to arrive; also the limit for inspecting a check.
 */
const SETTLE_LIMIT_MS = 2_000;
const LOOK_POLL_MS = 2;

export interface ResidentShellDeps {
  readonly tasks: Tasks;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'debug'>;
  readonly startLimitMs: number;
}

/** The result of one turn of the shell. */
export type Turn = { readonly kind: 'over'; readonly outcome: Outcome } | Broken;

/**
 * The answer cannot be trusted, or something was left behind: the check has to be made by other means, and the shell
 * closed.
 */
interface Broken {
  readonly kind: 'broken';
  readonly reason: string;
}

/** A shell that stays in a container, with the container's whole security context, and forks for each check. */
export interface ResidentShell {
  /** Makes the check. One at a time. */
  check(until: Until): Promise<Turn>;
  /** Whether it can be used again: not after a broken or cancelled turn. */
  readonly isUsable: boolean;
  /** Kills the shell and its whole session, and removes its files. Idempotent. */
  close(): Promise<void>;
}

interface Until {
  readonly timeoutNs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Starts a shell for the checks of one container, and verifies that they have the environment of a fresh exec.
 *
 * @param items the arguments after `/bin/sh -c` in the check
 * @throws containerd's error if the exec cannot be created or started; INVALID if a check would have another
 *   environment. Nothing is left then
 */
export async function openResidentShell(
  deps: ResidentShellDeps,
  target: Pick<ProbeTarget, 'containerId' | 'processJson' | 'scratchDir' | 'reap'>,
  items: readonly string[],
): Promise<ResidentShell> {
  const { tasks, clock } = deps;
  const execId = `${RESIDENT_EXEC_PREFIX}${randomHex(8)}`;
  const exec = { containerId: target.containerId, execId };
  const { processJson, differenceFrom } = planResidence(target, items);
  const pipes = openPipes(join(target.scratchDir, execId));
  const waiting = new AbortController();
  let leader: SessionLeader;
  let died: Promise<void>;
  try {
    const { stdin, stdout, stderr } = pipes;
    await tasks.exec({ ...exec, processJson, stdin, stdout, stderr, terminal: false });
    died = tasks.wait(exec, { signal: waiting.signal }).then(
      () => {},
      () => {},
    );
    const pid = await tasks.start(exec, { timeoutMs: deps.startLimitMs });
    leader = sessionLeaderOf(pid);
  } catch (error) {
    waiting.abort();
    pipes.close({ keepsNote: !(await deleteExec(deps, exec)).isGone });
    throw error;
  }
  pipes.letEnd();
  const shell = converse({
    ...{ clock, leader, pipes, died, reaps: target.reap === true },
    release: async () => {
      await killSession(leader, { clock });
      await Promise.race([died, clock.sleep(DEATH_LIMIT_MS)]);
      waiting.abort();
      pipes.close({ keepsNote: !(await deleteExec(deps, exec)).isGone });
    },
  });
  const seen = await shell.inspect();
  const difference = seen ? differenceFrom(seen) : 'no check of it can be looked at';
  if (difference === undefined) {
    if (target.reap && !(await makeSubreaper(leader.pid, clock)))
      deps.log.debug(
        `container ${target.containerId}: what its checks leave is reaped by its first process, if at all`,
      );
    return shell;
  }
  await shell.close();
  throw new HealthctlError('INVALID', difference);
}

interface Seen {
  readonly shell: Environment;
  readonly check: Environment;
}

/** The protocol with a started shell. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
function converse(shell: {
  readonly clock: Clock;
  readonly leader: SessionLeader;
  readonly pipes: Pipes;
  readonly died: Promise<void>;
  /** Whether to end processes that a check leaves. */
  readonly reaps: boolean;
  readonly release: () => Promise<void>;
}): ResidentShell & { inspect(): Promise<Seen | undefined> } {
  const { clock, leader, pipes, died, reaps, release } = shell;
  const session = createSessionView(leader);
  let isUsable = true;
  let sequence = 0;
  let turn: { readonly output: MarkedOutput; answer(code: number): void; break(reason: string): void } | undefined;
  let closing: Promise<void> | undefined;
  const spoil = (reason: string): void => {
    isUsable = false;
    turn?.break(reason);
  };
  pipes.onOutput((bytes) => {
    if (turn) turn.output.add(bytes);
    else spoil('something was printed between checks');
  });
  pipes.onControl(
    readAnswers((answer) => {
      if (turn && answer?.sequence === sequence) turn.answer(answer.code);
      else spoil('something else answered');
    }),
  );
  pipes.onEnd(() => spoil('the shell has ended'));
  void died.then(() => spoil('the shell has ended'));

  const settled = async <T>(wanted: Promise<T>): Promise<T | undefined> => {
    const over = new AbortController();
    const late = clock.sleep(SETTLE_LIMIT_MS, over.signal).then(() => undefined);
    return Promise.race([wanted, late]).finally(() => over.abort());
  };
  /** Undefined: the shell does not read. */
  const begin = (word: 'run' | 'look') => {
    const output = createMarkedOutput();
    let answer = (_code: number): void => {};
    const done = new Promise<Ended>((resolve) => {
      answer = (code) => resolve({ outcome: { kind: 'exited', code, output: '' } });
    });
    const broken = new Promise<Broken>((resolve) => {
      turn = { output, answer, break: (reason) => resolve({ kind: 'broken', reason }) };
    });
    sequence += 1;
    return pipes.write(`${word} ${sequence}\n`) ? { output, done, broken } : undefined;
  };
  const inspectCheck = async (): Promise<Seen | undefined> => {
    const begun = begin('look');
    if (!begun) return undefined;
    let isOver = false;
    const over = Promise.race([begun.done, begun.broken]).finally(() => {
      isOver = true;
    });
    let seen = seenFrom(leader.pid);
    for (let restMs = SETTLE_LIMIT_MS; !seen && !isOver && restMs > 0; restMs -= LOOK_POLL_MS) {
      await clock.sleep(LOOK_POLL_MS);
      seen = seenFrom(leader.pid);
    }
    if (!seen || !pipes.write('\n')) return undefined;
    const end = await settled(over);
    return end && 'outcome' in end ? seen : undefined;
  };
  const takeTurn = async (until: Until): Promise<Turn> => {
    const begun = begin('run');
    if (!begun) return { kind: 'broken', reason: 'the shell does not read' };
    const { output, done, broken } = begun;
    const first = await Promise.race([firstOf(done, { clock, startMs: clock.now(), ...until }), broken]);
    if (first.kind === 'broken') return first;
    if (first.kind !== 'exited' && first.kind !== 'timed-out') return { kind: 'over', outcome: first };
    if (first.kind === 'timed-out' || reaps)
      await killSession(leader, { except: leader.pid, descendants: reaps, clock });
    if (first.kind === 'timed-out') await settled(Promise.race([done, broken]));
    const mark = `${randomHex(16)}\n`;
    const whole = output.endAt(mark).then(() => ({ kind: 'whole' }) as const);
    pipes.write(`${reaps ? 'reap' : 'end'} ${mark}`);
    const end = await settled(Promise.race([whole, broken]));
    const outcome = { ...first, output: output.text() };
    // A timeout stays one, whatever happened to the shell.
    if (first.kind === 'timed-out' || (end?.kind === 'whole' && !session.hasOthers())) {
      isUsable &&= end?.kind === 'whole';
      return { kind: 'over', outcome };
    }
    if (end?.kind === 'broken') return end;
    return { kind: 'broken', reason: end ? 'the check left processes behind' : 'the end of the output did not come' };
  };

  return {
    inspect: () =>
      inspectCheck().finally(() => {
        turn = undefined;
      }),
    get isUsable() {
      return isUsable;
    },
    close: () => {
      isUsable = false;
      closing ??= release();
      return closing;
    },
    check: async (until) => {
      try {
        const made = await takeTurn(until);
        if (made.kind === 'broken' || made.outcome.kind === 'cancelled') isUsable = false;
        return made;
      } finally {
        turn = undefined;
      }
    },
  };
}

/** The environments of the shell and of its inspected check; undefined until that check exists. */
function seenFrom(leader: number): Seen | undefined {
  const child = childrenOf(leader).find((pid) => isLookingChild(readCommandLine(pid) ?? ''));
  const check = child === undefined ? undefined : readEnvironment(child);
  const shell = check && readEnvironment(leader);
  return shell && { shell: environmentFrom(shell), check: environmentFrom(check) };
}

/**
 * @returns a function that processes input from control.
 * @param onAnswer undefined: the input was no answer of our script
 */
function readAnswers(
  onAnswer: (answer: { readonly sequence: number; readonly code: number } | undefined) => void,
): (text: string) => void {
  let control = '';
  return (text) => {
    control += text;
    if (!control.endsWith('\n') && control.length <= MAX_ANSWER_LENGTH) return;
    const [, sequence, code] = /^done (\d{1,15}) (\d{1,3})\n$/.exec(control) ?? [];
    control = '';
    onAnswer(code === undefined ? undefined : { sequence: Number(sequence), code: Number(code) });
  };
}
