import type { TaskStdio } from '../../containerd/tasks.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { UNKNOWN_EXIT_CODE } from '../../record/view.ts';
import type { ContainerContext } from '../context.ts';
import { followFile, type Write } from '../logs/follow.ts';
import { type GrowingFile, openGrowingFile } from '../logs/growing-file.ts';
import { shimOf, untilCopied } from '../logs/shim-copy.ts';
import { sendSignal } from '../stop.ts';
import { endOfContainer } from '../wait/end-of.ts';
import { notedExitCode } from '../wait/wait-exit.ts';
import { createDetachFilter } from './detach-keys.ts';
import { forwardSignals } from './forward-signals.ts';
import { connectNewStdin, connectStdin, pumpStdin } from './stdin.ts';
import { followSize, type Resize, takeKeys, terminalSize } from './terminal.ts';
import { type UserConsole, writerTo } from './user-console.ts';

export interface AttachRequest {
  readonly containerId: string;
  /** Pid of the main process, from Tasks.Create or Tasks.Get. */
  readonly pid: number;
  readonly stdio: TaskStdio;
  /** Whether the task was only created and waits for its start. */
  readonly isNew: boolean;
  /**
   * `none`: user input is not read. `once`: the container's stdin ends with the user's (Docker's StdinOnce). `shared`:
   * it stays open.
   */
  readonly stdin: 'none' | 'once' | 'shared';
  /**
   * Whether the attachment ends when the user's input has and the container's stdin stays open, as for clients of
   * Docker's API.
   */
  readonly endsWithInput?: boolean;
  /** The outputs to show; the others are only written to their files. Default: both. */
  readonly outputs?: { readonly stdout: boolean; readonly stderr: boolean };
  /** `--sig-proxy`. Without it a signal ends the attachment, and the container continues. */
  readonly proxySignals: boolean;
  /** From parseDetachKeys. Used only with a terminal and stdin. */
  readonly detachKeys: readonly number[];
}

/** How an attachment ended: `forced` by a third SIGINT or SIGTERM that did not end the container. */
export type AttachEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'detached' }
  | { readonly kind: 'forced' };

export interface Attachment {
  /**
   * How it ended; by then all output of the container is written and the user's terminal is restored. Rejects with
   * ABORTED if the console's signal fired or `close` was called, and with any failure, e.g. UNAVAILABLE.
   */
  readonly ended: Promise<AttachEnd>;
  /** Detaches from the container. Idempotent; resolves when everything is released. */
  close(): Promise<void>;
}

/**
 * Connects the user's streams and signals to the main process of a container: for `run` and `start -a` between creating
 * and starting the task, so that nothing is missed; for `attach` while it runs. It shows the output that the
 * container's files receive from now on.
 *
 * @throws errors of opening the files or the terminal
 */
export async function attachContainer(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'log' | 'dirs'>,
  console: UserConsole,
  request: AttachRequest,
): Promise<Attachment> {
  const session = openSession(console);
  try {
    const shimPid = shimOf(request.pid);
    const outputs = await openOutputs(request, console, session);
    connectSignals(ctx, console, request, session);
    await connectTerminal(ctx, console, request, session);
    const ended = untilEnded(ctx, request, { shimPid, outputs, session }).finally(session.release);
    ended.catch(() => undefined); // handled by the caller, or of no interest
    return {
      ended,
      close: async () => {
        session.leave('closed');
        await ended.catch(() => undefined);
      },
    };
  } catch (error) {
    session.release();
    throw error;
  }
}

type Reason = 'detached' | 'forced' | 'closed';

/** The open resources, and why the session ended before the container. */
interface Session {
  readonly left: AbortSignal;
  reason(): Reason | undefined;
  leave(reason: Reason): void;
  /** Registers work to do if the session ends while the container runs. */
  onLeave(work: () => Promise<void>): void;
  finishLeaving(): Promise<void>;
  /** Registers an undo step for the end; the last one runs first. */
  onRelease(undo: () => void): void;
  release(): void;
}

function openSession(console: UserConsole): Session {
  const left = new AbortController();
  const undos: (() => void)[] = [];
  const leaveWork: (() => Promise<void>)[] = [];
  let reason: Reason | undefined;
  const leave = (why: Reason): void => {
    reason ??= why;
    left.abort();
  };
  const onAbort = (): void => leave('closed');
  if (console.signal.aborted) onAbort();
  console.signal.addEventListener('abort', onAbort, { once: true });
  undos.push(() => console.signal.removeEventListener('abort', onAbort));
  return {
    left: left.signal,
    reason: () => reason,
    leave,
    onLeave: (work) => leaveWork.push(work),
    finishLeaving: async () => {
      for (const work of leaveWork) await work();
    },
    onRelease: (undo) => undos.push(undo),
    release: () => {
      for (const undo of undos.splice(0).reverse()) undo();
    },
  };
}

interface FollowedOutput {
  readonly file: GrowingFile;
  readonly path: string;
  readonly from: number;
  readonly write: Write;
}

async function openOutputs(
  { stdio: { stdout, stderr }, outputs: shown = { stdout: true, stderr: true } }: AttachRequest,
  { streams }: UserConsole,
  session: Session,
): Promise<readonly FollowedOutput[]> {
  const targets = [
    ...(shown.stdout && stdout !== '' ? [{ path: stdout, stream: streams.stdout }] : []),
    ...(stderr === '' || !shown.stderr ? [] : [{ path: stderr, stream: streams.stderr }]),
  ];
  const outputs: FollowedOutput[] = [];
  for (const { path, stream } of targets) {
    const file = await openGrowingFile(path);
    session.onRelease(() => void file.close());
    outputs.push({ file, path, from: await file.size(), write: writerTo(stream, session.left) });
  }
  return outputs;
}

function connectSignals(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'log'>,
  console: UserConsole,
  { containerId, proxySignals }: AttachRequest,
  session: Session,
): void {
  if (!proxySignals) return;
  const onForce = (): void => session.leave('forced');
  const send = (signal: number) => sendSignal(ctx, containerId, { signal });
  session.onRelease(forwardSignals({ send, console, log: ctx.log, onForce }));
}

async function connectTerminal(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'log'>,
  console: UserConsole,
  request: AttachRequest,
  session: Session,
): Promise<void> {
  const { containerId, stdio, isNew } = request;
  if (stdio.terminal) await connectSize(ctx, console, request, session);
  if (request.stdin === 'none' || stdio.stdin === '') return;
  if (stdio.terminal) session.onRelease(takeKeys(console));
  const sink = isNew ? await connectNewStdin(stdio.stdin, ctx.clock) : connectStdin(stdio.stdin);
  if (!sink) return; // it was closed before: there is no reader
  // A container's terminal stays open: closing its input would also end its output.
  const isToClose = request.stdin === 'once' && !stdio.terminal;
  const closeStdin = async (): Promise<void> => {
    if (!isToClose) return;
    await ctx.containerd.tasks.closeStdin({ containerId }).catch((error: unknown) => {
      ctx.log.debug(`stdin of ${containerId} was not closed: ${messageOf(error)}`);
    });
  };
  const stop = pumpStdin({
    source: console.streams.stdin,
    sink,
    ...(stdio.terminal ? { detach: createDetachFilter(request.detachKeys) } : {}),
    onEnd: () => {
      if (!isToClose && request.endsWithInput) session.leave('detached');
      void closeStdin();
    },
    onDetach: () => session.leave('detached'),
  });
  session.onRelease(stop);
  session.onLeave(async () => {
    stop();
    await closeStdin();
  });
}

async function connectSize(
  { containerd, log }: Pick<ContainerContext, 'containerd' | 'log'>,
  console: UserConsole,
  { containerId, isNew }: AttachRequest,
  session: Session,
): Promise<void> {
  const resize: Resize = async (size) => {
    await containerd.tasks.resize({ containerId, ...size }).catch((error: unknown) => {
      log.debug(`the terminal was not resized: ${messageOf(error)}`);
    });
  };
  const size = terminalSize(console);
  // Docker's trick: a program redraws only if its terminal size changes.
  if (size && !isNew) await resize({ width: size.width + 1, height: size.height + 1 });
  session.onRelease(followSize(console, resize));
}

interface Attached {
  readonly shimPid: number | undefined;
  readonly outputs: readonly FollowedOutput[];
  readonly session: Session;
}

async function untilEnded(
  ctx: Pick<ContainerContext, 'containerd' | 'clock' | 'dirs'>,
  { containerId }: AttachRequest,
  { shimPid, outputs, session }: Attached,
): Promise<AttachEnd> {
  const { left } = session;
  const { clock } = ctx;
  const copied = new AbortController();
  const following = Promise.all(
    outputs.map(({ file, from, write }) =>
      followFile(file, { from, write, clock, ended: copied.signal, signal: left }),
    ),
  );
  try {
    // Called before the start, so that an immediate end is not missed.
    const exit = await Promise.race([endOfContainer(ctx, containerId, { signal: left }), failureOf(following)]);
    await untilCopied({ shimPid, paths: outputs.map(({ path }) => path), clock, signal: left });
    copied.abort();
    await following;
    const exitCode = exit?.status ?? (await notedExitCode(ctx, containerId, left)) ?? UNKNOWN_EXIT_CODE;
    return endOf(session) ?? { kind: 'exited', exitCode };
  } catch (error) {
    const isLeft = session.reason() !== undefined;
    session.leave('closed');
    await session.finishLeaving();
    if (!isLeft) throw error;
    return endOf(session) ?? Promise.reject(error);
  }
}

/** Undefined unless the session ended before the container. Throws ABORTED. */
function endOf(session: Session): AttachEnd | undefined {
  const reason = session.reason();
  if (reason === 'closed') throw new HealthctlError('ABORTED', 'the attachment was closed');
  return reason === undefined ? undefined : { kind: reason };
}

/** Rejects if the promise does, and never resolves. */
function failureOf(promise: Promise<unknown>): Promise<never> {
  return new Promise((_resolve, reject) => {
    promise.catch(reject);
  });
}
