import { signalContainer } from '../../container/kill.ts';
import { NETWORK_FAILURE } from '../../container/network/attach.ts';
import { pauseContainer, unpauseContainer } from '../../container/pause.ts';
import { renameContainer } from '../../container/rename.ts';
import { restartContainer } from '../../container/restart.ts';
import { startContainer } from '../../container/start.ts';
import { stopContainer } from '../../container/stop.ts';
import { hasCode, messageOf } from '../../lib/errors.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import type { ContainerView } from '../../record/view.ts';
import { EngineError, statusOf, withStatuses } from '../errors.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, empty, type Route } from '../route.ts';
import { asShown, foundView } from './found.ts';

/** What happens to a container: 204 when it is done, 304 where nothing was to do. */
export function lifeRoutes(deps: EngineDeps): readonly Route[] {
  const route = (verb: string, act: (call: Call) => Promise<Answer>): Route => ({
    method: 'POST',
    path: `/containers/{id}/${verb}`,
    handle: act,
  });
  return [
    route('start', (call) => start(deps, call)),
    route('stop', (call) => stop(deps, call)),
    route('restart', (call) => restart(deps, call)),
    route('kill', (call) => kill(deps, call)),
    route('pause', (call) => pause(deps, call)),
    route('unpause', (call) => unpause(deps, call)),
    route('rename', (call) => rename(deps, call)),
    { method: 'DELETE', path: '/containers/{id}', handle: (call) => remove(deps, call) },
  ];
}

const isUp = ({ state }: ContainerView): boolean => state === 'running' || state === 'paused';

/** What was begun is ended, whether its client waits or not: the signal only ends the search for the container. */
async function changed({ host }: EngineDeps, view: ContainerView, work: () => Promise<unknown>): Promise<Answer> {
  try {
    await work();
  } finally {
    await host.refresh(view.record.id);
  }
  return empty();
}

/** An empty object is none, with some white space (moby: daemon/server/router/container/container_routes.go). */
const MAX_EMPTY_BYTES = 7;

const hasConfig = (headers: Call['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > MAX_EMPTY_BYTES;

async function start(deps: EngineDeps, call: Call): Promise<Answer> {
  if (hasConfig(call.headers))
    throw new EngineError(
      400,
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    );
  const view = await foundView(deps, call);
  if (view.state === 'running') return empty(304);
  return changed(deps, view, async () => {
    try {
      await deps.attachments.start(view.record.id, (connect) => startContainer(deps.ctx, view, connect));
    } catch (error) {
      await removeUnstarted(deps, view, error);
      throw startRefusal(error);
    }
  });
}

/** A container that removes itself does so after a start that failed, too (moby: daemon/start.go, containerStart). */
async function removeUnstarted({ host, log }: EngineDeps, { record }: ContainerView, error: unknown): Promise<void> {
  if (!storedConfigOf(record)?.HostConfig.AutoRemove || hasCode(error, 'CONFLICT')) return;
  try {
    // Whether the client still waits or not.
    await host.remove(record.id, { force: true, volumes: true, signal: new AbortController().signal });
  } catch (cause) {
    if (!hasCode(cause, 'NOT_FOUND')) log.warn(`container ${record.id} was not removed: ${messageOf(cause)}`);
  }
}

/** Beginnings of what fails before the task is made. */
const BEFORE_TASK = [NETWORK_FAILURE, 'error while mounting volume '];

/** Docker: a program that cannot be run is the client's fault (moby: daemon/errors.go, translateContainerdStartErr). */
function startRefusal(error: unknown): unknown {
  // The container whose namespace is to be joined does not run: to Docker a fault of the host.
  if (hasCode(error, 'CONFLICT') && error.message.startsWith('failed to join PID '))
    return new EngineError(500, error.message, { cause: error });
  if (hasCode(error, 'RUNTIME') && !BEFORE_TASK.some((words) => error.message.startsWith(words)))
    return new EngineError(
      error.exitCode === 126 || error.exitCode === 127 ? 400 : 500,
      `failed to create task for container: ${messageOf(error)}`,
      { cause: error },
    );
  return error;
}

async function stop(deps: EngineDeps, call: Call): Promise<Answer> {
  const timeoutS = call.query.int('t');
  const signal = call.query.text('signal');
  const view = await foundView(deps, call);
  const isRestarting = deps.host.restartOf(view.record.id).isRestarting || view.state === 'restarting';
  if (!isUp(view) && !isRestarting) return empty(304);
  return changed(deps, view, async () => {
    try {
      await stopContainer(deps.ctx, view, stopOptions(timeoutS, signal));
    } catch (error) {
      if (!hasCode(error, 'USAGE', 'INVALID')) throw error;
      const message = `cannot stop container: ${view.record.id}: ${error.message}`;
      throw new EngineError(500, message, { cause: error });
    }
  });
}

const stopOptions = (timeoutS: number | undefined, signal: string) => ({
  ...(timeoutS === undefined ? {} : { timeoutS }),
  ...(signal === '' ? {} : { signal }),
});

async function restart(deps: EngineDeps, call: Call): Promise<Answer> {
  const timeoutS = call.query.int('t');
  const signal = call.query.text('signal');
  const view = await foundView(deps, call);
  return changed(deps, view, async () => {
    try {
      await restartContainer(deps.ctx, view, stopOptions(timeoutS, signal));
      await deps.attachments.started(view.record.id);
    } catch (error) {
      throw startRefusal(error);
    }
  });
}

/** Docker names the container in front of each refusal of a kill: by its id, or as the path does if there is none. */
async function kill(deps: EngineDeps, call: Call): Promise<Answer> {
  const signal = call.query.text('signal');
  let id = call.part('id');
  try {
    const view = await foundView(deps, call);
    id = view.record.id;
    const shown = asShown(deps, view);
    return await changed(deps, view, () => signalContainer(deps.ctx, shown, signal === '' ? {} : { signal }));
  } catch (error) {
    throw new EngineError(statusOf(error), `cannot kill container: ${id}: ${messageOf(error)}`, { cause: error });
  }
}

async function pause(deps: EngineDeps, call: Call): Promise<Answer> {
  const view = await foundView(deps, call);
  return changed(deps, view, () => pauseContainer(deps.ctx, view));
}

async function unpause(deps: EngineDeps, call: Call): Promise<Answer> {
  const view = await foundView(deps, call);
  return changed(deps, view, () => withStatuses({ CONFLICT: 500 }, () => unpauseContainer(deps.ctx, view)));
}

async function rename(deps: EngineDeps, call: Call): Promise<Answer> {
  const name = call.query.text('name');
  const view = await foundView(deps, call);
  if (name === '') throw new EngineError(400, 'Neither old nor new names may be empty');
  return changed(deps, view, () => renameContainer(deps.ctx, view, name, call.signal));
}

/** A removal is by id: another container may get the name meanwhile. */
async function remove(deps: EngineDeps, call: Call): Promise<Answer> {
  const { query, signal } = call;
  if (query.flag('link')) throw new EngineError(400, 'healthctl has no legacy links that could be removed');
  const view = await foundView(deps, call);
  const { id } = view.record;
  try {
    await deps.host.remove(id, { force: query.flag('force'), volumes: query.flag('v'), signal });
  } catch (error) {
    const message = messageOf(error);
    if (!hasCode(error, 'CONFLICT')) throw error;
    throw new EngineError(409, message.replace(`container "${view.name}"`, `container "${call.part('id')}"`), {
      cause: error,
    });
  }
  deps.attachments.gone(id);
  return empty();
}
