import { prepareExec } from '../../container/exec/exec.ts';
import { refuseUnlessRunning } from '../../container/exec/exec-task.ts';
import { resolveView } from '../../container/resolve.ts';
import { containerdExecIdOf } from '../../events/api-exec.ts';
import { publishExec } from '../../events/own-events.ts';
import { hasCode, messageOf } from '../../lib/errors.ts';
import type { JsonObject } from '../../lib/shape.ts';
import { foundView } from '../containers/found.ts';
import { EngineError } from '../errors.ts';
import { goStructOf } from '../go-struct.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, empty, json, type Route } from '../route.ts';
import { terminalSizeFrom } from '../terminal-size.ts';
import { execWishFrom } from './exec-request.ts';
import type { Exec } from './execs.ts';
import { commandOf, startExec } from './start.ts';

type ExecDeps = Pick<EngineDeps, 'ctx' | 'host' | 'log' | 'clock' | 'execs'>;

/** Programs in running containers. */
export function execRoutes(deps: ExecDeps): readonly Route[] {
  const forget = createForgetting(deps);
  return [
    {
      method: 'POST',
      path: '/containers/{id}/exec',
      handle: (call) => {
        forget();
        return createExec(deps, call);
      },
    },
    { method: 'POST', path: '/exec/{id}/start', handle: (call) => startExec(deps, call) },
    { method: 'GET', path: '/exec/{id}/json', handle: (call) => json(documentOf(deps.execs.get(call.part('id')))) },
    { method: 'POST', path: '/exec/{id}/resize', handle: (call) => resizeExec(deps, call) },
  ];
}

/** From the first exec on, forgets those of containers that have ended or are removed. @returns a function to call often */
function createForgetting({ host, execs, log }: ExecDeps): () => void {
  let isFollowing = false;
  return () => {
    if (isFollowing) return;
    isFollowing = true;
    const follow = host.openEvents({});
    follow(async ({ type, action, id }) => {
      if (type !== 'container') return;
      if (action === 'die') execs.containerEnded(id);
      if (action === 'destroy') execs.containerRemoved(id);
    }, new AbortController().signal)
      .catch((error: unknown) => log.debug(`Docker API: events for execs: ${messageOf(error)}`))
      .finally(() => {
        isFollowing = false;
      });
  };
}

async function createExec({ ctx, execs }: ExecDeps, call: Call): Promise<Answer> {
  const wish = execWishFrom(goStructOf(await call.json()), call.version);
  const view = await foundView({ ctx }, call);
  const { id: containerId } = view.record;
  const { id } = execs.add({ containerId, wish, process: await prepareExec(ctx, view, wish.program) });
  const { events } = ctx.containerd;
  await publishExec(
    { events, log: ctx.log },
    { id: containerId, execId: id, action: `exec_create: ${commandOf(wish)}` },
  );
  return json({ Id: id }, 201);
}

function documentOf({ id, containerId, wish, state }: Exec): JsonObject {
  const { program, attach } = wish;
  const [entrypoint = '', ...args] = program.args;
  return {
    ID: id,
    Running: state.kind === 'running',
    ExitCode: state.kind === 'ended' ? state.exitCode : null,
    ProcessConfig: {
      tty: program.terminal,
      entrypoint,
      arguments: args,
      privileged: program.privileged,
      ...(program.user === undefined ? {} : { user: program.user }),
    },
    OpenStdin: attach.stdin,
    OpenStderr: attach.stderr,
    OpenStdout: attach.stdout,
    CanRemove: false,
    ContainerID: containerId,
    DetachKeys: wish.hasDetachKeys ? Buffer.from(wish.detachKeys).toString('base64') : '',
    Pid: state.kind === 'created' ? 0 : state.pid,
  };
}

/** How long a resize waits for the start. Docker waits as long. */
const START_LIMIT_MS = 10_000;

/** A client sends the size of its terminal while the exec is being started. */
async function resizeExec({ ctx, execs, clock }: ExecDeps, call: Call): Promise<Answer> {
  const size = terminalSizeFrom(call.query);
  const { id, containerId, started } = execs.get(call.part('id'));
  const waited = new AbortController();
  const late = clock.sleep(START_LIMIT_MS, AbortSignal.any([call.signal, waited.signal])).then(() => 'late');
  const first = await Promise.race([started, late]).finally(() => waited.abort());
  if (first === 'late') throw new EngineError(500, 'timeout waiting for exec session ready');
  try {
    await ctx.containerd.tasks.resize({ containerId, execId: containerdExecIdOf(id), ...size });
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) throw error;
    // It has ended, perhaps with its container.
    refuseUnlessRunning((await resolveView(ctx, containerId, { signal: call.signal })).state, containerId);
    throw new EngineError(404, `NotFound: process does not exist ${id}: not found`, { cause: error });
  }
  return empty(200);
}
