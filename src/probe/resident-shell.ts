import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Tasks } from '../containerd/tasks.ts';
import type { Outcome } from '../health/result.ts';
import type { Clock } from '../lib/clock.ts';
import { errnoOf } from '../lib/errors.ts';
import { decodeJson } from '../lib/json.ts';
import type { Logger } from '../lib/logger.ts';
import { randomHex } from '../lib/random.ts';
import { holdFifo, makeFifo, openFifoReader } from '../system/fifo.ts';
import { killSession, type SessionLeader, sessionLeaderOf } from '../system/kill-session.ts';
import { createSessionView } from '../system/session-view.ts';
import { CONTROL_FIFO, DEATH_LIMIT_MS, deleteExec, OUTPUT_FIFO, RESIDENT_EXEC_PREFIX } from './check-execs.ts';
import { checkProcessJson } from './check-process.ts';
import { type Ended, firstOf } from './first-of.ts';
import { createMarkedOutput, type MarkedOutput } from './marked-output.ts';
import type { ProbeTarget } from './prober.ts';

/**
 * What the shell runs. A line `run SEQ` asks for a check, answered by `done SEQ CODE` on control; `end NONCE` asks for the nonce behind what
 * the check has printed. Control is the shell's stderr, moved out of the way before anything runs, and closed for a check. The check has
 * the standard streams that a fresh exec would have, and the level that bash and busybox count shells from. No job control, no `&`: both would
 * change how signals are taken.
 */
const scriptFrom = (shellLevel: string | undefined): string => `exec 3>&2 2>/dev/null
while read -r word argument; do
  case $word in
    run)
      [ -x /bin/sh ] || break
      ( exec 3>&-; ${shellLevel === undefined ? 'unset SHLVL' : `SHLVL=${quoted(shellLevel)}`}
        exec /bin/sh -c "$@" ) </dev/null 2>&1
      echo "done $argument $?" >&3 ;;
    end) echo "$argument" ;;
  esac
done`;

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Longer than any answer: who writes more on control is not our script. */
const MAX_ANSWER_LENGTH = 64;
/** How long a check that was killed may take to be over, and the answer to `end` to come. */
const SETTLE_LIMIT_MS = 2_000;

export interface ResidentShellDeps {
  readonly tasks: Tasks;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'debug'>;
  readonly startLimitMs: number;
}

/** What a turn of the shell came to. */
export type Turn =
  | { readonly kind: 'over'; readonly outcome: Outcome }
  /** What came is not to be believed, or something was left behind: the check has to be made by other means, and the shell closed. */
  | { readonly kind: 'broken'; readonly reason: string };

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
 * Starts a shell for the checks of one container.
 *
 * @param items what follows `/bin/sh -c` in the check
 * @throws whatever containerd says when the exec cannot be made or started; nothing is left then
 */
export async function openResidentShell(
  deps: ResidentShellDeps,
  target: Pick<ProbeTarget, 'containerId' | 'processJson' | 'scratchDir'>,
  items: readonly string[],
): Promise<ResidentShell> {
  const { tasks, clock } = deps;
  const execId = `${RESIDENT_EXEC_PREFIX}${randomHex(8)}`;
  const exec = { containerId: target.containerId, execId };
  const script = scriptFrom(variableIn(target.processJson, 'SHLVL'));
  const processJson = checkProcessJson(target, ['/bin/sh', '-c', script, 'sh', ...items]);
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
  return converse({
    ...{ clock, leader, pipes, died },
    letGo: async () => {
      await killSession(leader, { clock });
      await Promise.race([died, clock.sleep(DEATH_LIMIT_MS)]);
      waiting.abort();
      pipes.close({ keepsNote: !(await deleteExec(deps, exec)).isGone });
    },
  });
}

/** What an OCI process has of a variable in its environment; of several the last one counts. */
function variableIn(processJson: string | undefined, name: string): string | undefined {
  const { env } = (processJson === undefined ? {} : decodeJson(processJson)) as { readonly env?: readonly string[] };
  return env?.findLast((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The protocol, with a shell that has been started. */
function converse(shell: {
  readonly clock: Clock;
  readonly leader: SessionLeader;
  readonly pipes: Pipes;
  readonly died: Promise<void>;
  readonly letGo: () => Promise<void>;
}): ResidentShell {
  const { clock, leader, pipes, died, letGo } = shell;
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
  const takeTurn = async (until: Until): Promise<Turn> => {
    const output = createMarkedOutput();
    let answer = (_code: number): void => {};
    const done = new Promise<Ended>((resolve) => {
      answer = (code) => resolve({ outcome: { kind: 'exited', code, output: '' } });
    });
    const broken = new Promise<Extract<Turn, { kind: 'broken' }>>((resolve) => {
      turn = { output, answer, break: (reason) => resolve({ kind: 'broken', reason }) };
    });
    sequence += 1;
    if (!pipes.write(`run ${sequence}\n`)) return { kind: 'broken', reason: 'the shell does not read' };
    const first = await Promise.race([firstOf(done, { clock, startMs: clock.now(), ...until }), broken]);
    if (first.kind === 'broken') return first;
    if (first.kind !== 'exited' && first.kind !== 'timed-out') return { kind: 'over', outcome: first };
    if (first.kind === 'timed-out') {
      await killSession(leader, { except: leader.pid, clock });
      await settled(Promise.race([done, broken]));
    }
    const mark = `${randomHex(16)}\n`;
    const whole = output.endAt(mark).then(() => ({ kind: 'whole' }) as const);
    pipes.write(`end ${mark}`);
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

interface Pipes {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  onOutput(listener: (bytes: Buffer) => void): void;
  onControl(listener: (text: string) => void): void;
  onEnd(listener: () => void): void;
  /** @returns false after `close`, and when nobody has read for so long that there is no room */
  write(line: string): boolean;
  /** To be called when the shim has opened them: from then on the end of the shell is the end of its output. */
  letEnd(): void;
  /** @param options.keepsNote leaves the directory, by whose name the exec is found by a sweep */
  close(options: { readonly keepsNote: boolean }): void;
}

function openPipes(dir: string): Pipes {
  const [stdin, stdout, stderr] = [join(dir, 'input'), join(dir, OUTPUT_FIFO), join(dir, CONTROL_FIFO)];
  mkdirSync(dir, { mode: 0o700 });
  const opened: (() => void)[] = [];
  let isClosed = false;
  const close = () => {
    isClosed = true;
    for (const each of opened.splice(0)) each();
  };
  try {
    for (const path of [stdin, stdout, stderr]) makeFifo(path);
    const holds = [holdFifo(stdout), holdFifo(stderr)];
    opened.push(...holds);
    // Both ways, so that opening waits for nobody; the shim reads it.
    const input = openSync(stdin, constants.O_RDWR | constants.O_NONBLOCK);
    opened.push(() => closeSync(input));
    const readers = [stdout, stderr].map((path) => {
      const reader = openFifoReader(path);
      opened.push(() => reader.destroy());
      return reader;
    });
    const [output, control] = readers as [(typeof readers)[0], (typeof readers)[0]];
    return {
      ...{ stdin, stdout, stderr },
      onOutput: (listener) => output.on('data', listener),
      onControl: (listener) => control.on('data', (bytes: Buffer) => listener(bytes.toString('latin1'))),
      onEnd: (listener) => {
        for (const reader of readers) {
          reader.once('close', listener);
          reader.once('error', listener);
        }
      },
      write: (line) => {
        if (isClosed) return false; // the number of the descriptor may be another file's by now
        try {
          return writeSync(input, line) === line.length;
        } catch (error) {
          if (errnoOf(error) === 'EAGAIN') return false;
          throw error;
        }
      },
      letEnd: () => {
        for (const letGo of holds) letGo();
      },
      close: ({ keepsNote }) => {
        close();
        if (!keepsNote) rmSync(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    close();
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}
