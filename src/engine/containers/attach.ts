import type { Duplex } from 'node:stream';
import { type Attachment, type AttachRequest, attachContainer } from '../../container/console/attach.ts';
import { parseDetachKeys } from '../../container/console/detach-keys.ts';
import { type UserConsole, writerTo } from '../../container/console/user-console.ts';
import type { OutputStream } from '../../container/logs/output-files.ts';
import { showLogs } from '../../container/logs/show-logs.ts';
import { resolveView } from '../../container/resolve.ts';
import type { ReadyTask } from '../../container/start.ts';
import { tellAction } from '../../container/tell-action.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import { type ContainerView, refuseUnknown } from '../../record/view.ts';
import { consoleOf } from '../client-console.ts';
import { EngineError, statusOf } from '../errors.ts';
import { FRAMES, RAW } from '../frames.ts';
import type { EngineDeps } from '../host.ts';
import type { Query } from '../query.ts';
import type { Answer, Call, Route } from '../route.ts';
import { isSince } from '../version.ts';
import { asShown, foundView } from './found.ts';
import { hasLog, hasTerminal } from './logs.ts';

type AttachDeps = Pick<EngineDeps, 'ctx' | 'host' | 'attachments' | 'log'>;

/** `/containers/{id}/attach`. */
export function attachRoutes(deps: AttachDeps): readonly Route[] {
  return [{ method: 'POST', path: '/containers/{id}/attach', handle: (call) => attach(deps, call) }];
}

/** What a client asks for. */
interface Wish {
  /** What the container printed so far comes first. */
  readonly logs: boolean;
  /** What it prints from now on, and its input. */
  readonly stream: boolean;
  readonly stdin: boolean;
  readonly outputs: { readonly stdout: boolean; readonly stderr: boolean };
  readonly detachKeys: readonly number[];
}

/** Throws INVALID for bad keys. */
function wishFrom(query: Query): Wish {
  return {
    logs: query.flag('logs'),
    stream: query.flag('stream'),
    stdin: query.flag('stdin'),
    outputs: { stdout: query.flag('stdout'), stderr: query.flag('stderr') },
    detachKeys: parseDetachKeys(query.text('detachKeys')),
  };
}

async function attach(deps: AttachDeps, call: Call): Promise<Answer | undefined> {
  let asked: { readonly wish: Wish; readonly view: ContainerView };
  try {
    const wish = wishFrom(call.query);
    asked = { wish, view: attachable(asShown(deps, await foundView(deps, call)), call.part('id')) };
  } catch (error) {
    return refusal(error);
  }
  const isFramed = !hasTerminal(asked.view);
  const contentType = isFramed && isSince(call.version, 42) ? FRAMES : RAW;
  const { stream } = await call.hijack({ contentType, hasHeaders: false });
  const console = consoleOf(stream, { isFramed, signal: call.signal });
  try {
    await serve(deps, { ...asked, stream, console });
  } catch (error) {
    if (call.signal.aborted) throw error;
    console.streams.stdout.write(`Error attaching: ${messageOf(error)}\n`);
  }
  return undefined;
}

/** Docker answers a refused attach as plain text. */
function refusal(error: unknown): Answer {
  return { status: statusOf(error), headers: { 'content-type': RAW }, body: `${messageOf(error)}\r\n` };
}

/** @param asked the container's name in the request */
function attachable(view: ContainerView, asked: string): ContainerView {
  refuseUnknown(view);
  if (view.state === 'paused')
    throw new EngineError(409, `container ${asked} is paused, unpause the container before attach`);
  if (view.state === 'restarting')
    throw new EngineError(409, `container ${asked} is restarting, wait until the container is running`);
  if (view.record.labels[LABELS.owner] === undefined)
    throw new EngineError(409, `the output of container ${view.name} is not healthctl's`);
  return view;
}

interface Client {
  readonly wish: Wish;
  readonly view: ContainerView;
  readonly stream: Duplex;
  readonly console: UserConsole;
}

/** Resolves when the container has ended, or the client has detached. */
async function serve(deps: AttachDeps, client: Client): Promise<void> {
  const { wish, view, stream, console } = client;
  // Not awaited: the client starts the container as soon as it has its answer.
  void tellAction(deps.ctx, { id: view.record.id, action: 'attach' });
  const hasPast = wish.logs && hasLog(view);
  if (view.state === 'running' && hasPast && wish.stream) return serveWithPast(deps, client);
  if (hasPast) await sendPast(deps, client, { follow: false, signal: console.signal });
  if (!wish.stream || !(wish.outputs.stdout || wish.outputs.stderr || wish.stdin)) return;
  if (!wish.stdin) stream.resume(); // so that the client's end is noticed
  const attachment =
    view.state === 'running' ? await attachTo(deps, client, undefined) : await untilStarted(deps, client);
  const end = await attachment?.ended;
  if (end?.kind === 'detached') await tellAction(deps.ctx, { id: view.record.id, action: 'detach' });
}

/** The output so far and what follows come from one reading of the logs: nothing is missed or shown twice in between. */
async function serveWithPast(deps: AttachDeps, client: Client): Promise<void> {
  const { wish, stream, console } = client;
  const left = new AbortController();
  const logs = sendPast(deps, client, { follow: true, signal: AbortSignal.any([console.signal, left.signal]) });
  logs.catch(() => undefined); // handled below
  if (!wish.stdin) {
    stream.resume();
    return logs;
  }
  try {
    const inputOnly = { ...client, wish: { ...wish, outputs: { stdout: false, stderr: false } } };
    const end = await (await attachTo(deps, inputOnly, undefined)).ended;
    if (end.kind === 'exited') await logs;
  } finally {
    left.abort();
  }
}

async function sendPast(
  { ctx }: Pick<AttachDeps, 'ctx'>,
  { wish, view, console: { streams } }: Client,
  { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const writeOf = (stream: OutputStream) =>
    wish.outputs[stream] ? writerTo(streams[stream], signal) : async () => undefined;
  const write = { stdout: writeOf('stdout'), stderr: writeOf('stderr') };
  const range = { sinceMs: undefined, untilMs: undefined };
  await showLogs(ctx, { write, signal }, view, { tail: 'all', follow, timestamps: false, details: false, ...range });
}

/**
 * Attaches at the next start, by this process or another. @returns undefined if there is none: the container was
 * removed, its start failed, or the client has gone
 */
async function untilStarted(deps: AttachDeps, client: Client): Promise<Attachment | undefined> {
  const { ctx, host, attachments, log } = deps;
  const { id } = client.view.record;
  const { signal } = client.console;
  const over = new AbortController();
  const waits = AbortSignal.any([signal, over.signal]);
  const watched = host.openEvents({})(async (event) => {
    if (event.id !== id || event.type !== 'container') return;
    if (event.action === 'start') await attachments.started(id);
    if (event.action === 'destroy') attachments.gone(id);
  }, waits);
  watched.catch((error: unknown) => {
    log.debug(`Docker API: attach to ${id}: ${messageOf(error)}`);
  });
  try {
    const attached = attachments.next(id, (task) => attachTo(deps, client, task), waits);
    attached.catch(() => undefined); // handled below
    // It may have been started since it was looked up.
    const { state } = await resolveView(ctx, id, { signal });
    if (state === 'running') await attachments.started(id);
    return await attached;
  } finally {
    over.abort();
  }
}

/** @param ready of a container that is about to start; undefined for one that runs */
async function attachTo(
  { ctx }: Pick<AttachDeps, 'ctx'>,
  { wish, view, console }: Client,
  ready: ReadyTask | undefined,
): Promise<Attachment> {
  const { id } = view.record;
  const config = storedConfigOf(view.record)?.Config;
  const how: Pick<AttachRequest, 'stdin' | 'endsWithInput' | 'outputs' | 'proxySignals' | 'detachKeys'> = {
    stdin: !wish.stdin || config?.OpenStdin !== true ? 'none' : config.StdinOnce === true ? 'once' : 'shared',
    endsWithInput: true,
    outputs: wish.outputs,
    proxySignals: false,
    detachKeys: wish.detachKeys,
  };
  if (ready) return attachContainer(ctx, console, { ...how, containerId: id, ...ready, isNew: true });
  const { task } = view.state === 'running' ? view : await resolveView(ctx, id, { signal: console.signal });
  if (!task) throw new HealthctlError('CONFLICT', `container ${id} is not running`);
  return attachContainer(ctx, console, { ...how, containerId: id, pid: task.pid, stdio: task, isNew: false });
}
