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

/** Longer than any answer: who writes more on control is not our script. */
const MAX_ANSWER_LENGTH = 64;
/** How long a check that was killed may take to be over, and the answer to `end` to come; also the first look at a check. */
const SETTLE_LIMIT_MS = 2_000;
const LOOK_POLL_MS = 2;

export interface ResidentShellDeps {
  readonly tasks: Tasks;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'debug'>;
  readonly startLimitMs: number;
}

/** What a turn of the shell came to. */
export type Turn = { readonly kind: 'over'; readonly outcome: Outcome } | Broken;

/** What came is not to be believed, or something was left behind: the check has to be made by other means, and the shell closed. */
interface Broken {
  readonly kind: 'broken';
  readonly reason: string;
}

/** A shell that stays in a container, with the container's whole security context, and forks for each check. */
export interface ResidentShell {
  /** Makes the check. One at a time. */
  check(until: Until): Promise<Turn>;
  /** Whether it can be asked again: not after a turn that was broken or given up. */
  readonly isUsable: boolean;
  /** Kills the shell and all its session, and leaves nothing. Idempotent. */
  close(): Promise<void>;
}

interface Until {
  readonly timeoutNs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Starts a shell for the checks of one container, and makes sure that they have the environment of a fresh exec.
 *
 * @param items what follows `/bin/sh -c` in the check
 * @throws whatever containerd says when the exec cannot be made or started; INVALID when a check would have another environment. Nothing is
 *   left then
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
    letGo: async () => {
      await killSession(leader, { clock });
      await Promise.race([died, clock.sleep(DEATH_LIMIT_MS)]);
      waiting.abort();
      pipes.close({ keepsNote: !(await deleteExec(deps, exec)).isGone });
    },
  });
  const seen = await shell.look();
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

/** The protocol, with a shell that has been started. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
function converse(shell: {
  readonly clock: Clock;
  readonly leader: SessionLeader;
  readonly pipes: Pipes;
  readonly died: Promise<void>;
  /** Whether what a check leaves is ended with it. */
  readonly reaps: boolean;
  readonly letGo: () => Promise<void>;
}): ResidentShell & { look(): Promise<Seen | undefined> } {
  const { clock, leader, pipes, died, reaps, letGo } = shell;
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
  const look = async (): Promise<Seen | undefined> => {
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
    // A timeout is one, whatever became of the shell.
    if (first.kind === 'timed-out' || (end?.kind === 'whole' && !session.hasOthers())) {
      isUsable &&= end?.kind === 'whole';
      return { kind: 'over', outcome };
    }
    if (end?.kind === 'broken') return end;
    return { kind: 'broken', reason: end ? 'the check left processes behind' : 'the end of the output did not come' };
  };

  return {
    look: () =>
      look().finally(() => {
        turn = undefined;
      }),
    get isUsable() {
      return isUsable;
    },
    close: () => {
      isUsable = false;
      closing ??= letGo();
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

/** What the shell and the check that it made to be looked at were started with; undefined as long as there is no such check. */
function seenFrom(leader: number): Seen | undefined {
  const child = childrenOf(leader).find((pid) => isLookingChild(readCommandLine(pid) ?? ''));
  const check = child === undefined ? undefined : readEnvironment(child);
  const shell = check && readEnvironment(leader);
  return shell && { shell: environmentFrom(shell), check: environmentFrom(check) };
}

/** @returns takes what comes on control. @param onAnswer undefined: it was no answer of our script */
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
