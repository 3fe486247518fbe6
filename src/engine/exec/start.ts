import { type Duplex, Readable, Writable } from 'node:stream';
import type { UserConsole } from '../../container/console/user-console.ts';
import { runPreparedExec } from '../../container/exec/exec.ts';
import type { ExecStart } from '../../container/exec/exec-task.ts';
import { containerdExecIdOf } from '../../events/api-exec.ts';
import { publishExec } from '../../events/own-events.ts';
import { HealthctlError, hasCode, messageOf } from '../../lib/errors.ts';
import { consoleOf } from '../client-console.ts';
import { EngineError, statusOf } from '../errors.ts';
import { FRAMES, RAW } from '../frames.ts';
import { goStructOf } from '../go-struct.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, empty } from '../route.ts';
import { isSince } from '../version.ts';
import { consoleSizeFrom } from './exec-request.ts';
import { type Exec, type Execs, openPromise, type RunningExec } from './execs.ts';

/** Docker's for a program that could not be started for another reason than the program. */
const CANNOT_START = 126;

type StartDeps = Pick<EngineDeps, 'ctx' | 'log'> & { readonly execs: Execs };

/**
 * `POST /exec/{id}/start`. The exec does not depend on its client: when that goes, the output is dropped, the input
 * ends, and the exit code is kept.
 */
export async function startExec(deps: StartDeps, call: Call): Promise<Answer | undefined> {
  const body = goStructOf(await call.json());
  const exec = deps.execs.get(call.part('id'));
  const terminal = body.flag('Tty');
  const size = consoleSizeFrom(body, { version: call.version, terminal }) ?? exec.wish.size;
  if (body.flag('Detach')) {
    await begin(deps, exec, { size, console: nowhere() }).started.catch((error: unknown) => {
      throw refusalOf(error);
    });
    return empty(200);
  }
  const isFramed = !terminal;
  const contentType = isFramed && isSince(call.version, 42) ? FRAMES : RAW;
  const { stream } = await call.hijack({ contentType, hasHeaders: true });
  const client = consoleOf(stream, { isFramed, signal: never() });
  try {
    await runAttached(deps, exec, { stream, client, size });
  } catch (error) {
    client.streams.stdout.write(`${messageOf(error)}\r\n`);
    if (statusOf(error) >= 500) deps.log.debug(`Docker API: exec ${exec.id}: ${messageOf(error)}`);
  }
  return undefined;
}

/** A program that cannot be run is the client's fault. */
function refusalOf(error: unknown): unknown {
  const isProgram = hasCode(error, 'RUNTIME') && (error.exitCode === 126 || error.exitCode === 127);
  return isProgram ? new EngineError(400, error.message, { cause: error }) : error;
}

interface Attached {
  readonly stream: Duplex;
  readonly client: UserConsole;
  readonly size: ExecStart['size'];
}

/** Resolves when the exec has ended, or the client has detached. */
async function runAttached(deps: StartDeps, exec: Exec, { stream, client, size }: Attached): Promise<void> {
  const { attach } = exec.wish;
  const { streams, signal, onSignal } = client;
  const console: UserConsole = {
    streams: {
      stdin: streams.stdin,
      stdout: attach.stdout ? streams.stdout : dropping(),
      stderr: attach.stderr ? streams.stderr : dropping(),
    },
    ...{ signal, onSignal },
  };
  if (!attach.stdin) stream.resume(); // so that the client's end is noticed
  const isAttached = attach.stdin || attach.stdout || attach.stderr;
  const detached = openPromise();
  const { started, ended } = begin(deps, exec, { size, console, onDetach: detached.resolve });
  if (isAttached) await Promise.race([ended, detached.promise]);
  else await started;
}

interface Beginning {
  readonly console: UserConsole;
  readonly size: ExecStart['size'];
  readonly onDetach?: () => void;
}

interface Begun {
  /** Resolves when it runs. Rejects if it cannot be started. */
  readonly started: Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/** Throws CONFLICT for an exec that runs or has run. */
function begin(deps: StartDeps, exec: Exec, how: Beginning): Begun {
  const running = deps.execs.begin(exec.id);
  const ended = run(deps, exec, { ...how, running });
  // If it has ended already, its start may have failed.
  const started = exec.started.then(() => (exec.state.kind === 'ended' ? ended : undefined));
  for (const promise of [ended, started]) promise.catch(() => undefined); // handled by the client that still waits
  return { ended, started };
}

async function run(
  { ctx }: StartDeps,
  { id, containerId, wish }: Exec,
  { running, console, size, onDetach = () => {} }: Beginning & { readonly running: RunningExec },
): Promise<void> {
  const prepared = { containerId, execId: containerdExecIdOf(id), process: running.process };
  try {
    const tell = (action: string) =>
      publishExec({ events: ctx.containerd.events, log: ctx.log }, { id: containerId, execId: id, action });
    await tell(`exec_start: ${commandOf(wish)}`);
    const end = await runPreparedExec(ctx, console, prepared, {
      terminal: wish.program.terminal,
      detach: false,
      stdin: wish.attach.stdin,
      detachKeys: wish.detachKeys,
      ...(size ? { size } : {}),
      onStarted: running.runs,
      onDetach: () => {
        void tell('exec_detach');
        onDetach();
      },
    });
    running.ended(end.kind === 'exited' ? end.exitCode : CANNOT_START);
  } catch (error) {
    const code = error instanceof HealthctlError ? error.exitCode : undefined;
    running.ended(hasCode(error, 'RUNTIME') ? (code ?? CANNOT_START) : CANNOT_START);
    throw error;
  }
}

/** As Docker writes it in events: arguments are not quoted. */
export const commandOf = ({ program }: Exec['wish']): string => program.args.join(' ');

/** Of a client that does not attach: there is no input, and output is dropped. */
function nowhere(): UserConsole {
  return {
    streams: { stdin: Readable.from([]), stdout: dropping(), stderr: dropping() },
    signal: never(),
    onSignal: () => () => {},
  };
}

const dropping = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** One for each exec: Node.js warns of many listeners on one signal. */
const never = (): AbortSignal => new AbortController().signal;
