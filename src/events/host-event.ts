import type { ContainerdEvent } from '../containerd/events.ts';
import { isDanglingName } from '../image/names.ts';
import { apiExecIdOf } from './api-exec.ts';
import { type ObjectType, parseOwnEvent } from './own-events.ts';

/** An event on the host, in Docker's words. */
export interface HostEvent {
  readonly type: 'container' | ObjectType;
  /** E.g. `start`, `health_status: healthy`. */
  readonly action: string;
  /**
   * The container's or network's id, the volume's name; for an image its familiar name, because containerd's events
   * have no image id.
   */
  readonly id: string;
  /** containerd's. */
  readonly namespace: string;
  /** Wall time, milliseconds since the epoch, with fractions. */
  readonly atMs: number;
  /** Docker's: name and image, the user's labels, and those of the action, e.g. `exitCode`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Known facts about the container of an event. */
export interface ContainerFacts {
  /** The id if no label names it. */
  readonly name: string;
  /** As shown by `ps`; empty without an image. */
  readonly image: string;
  /** Labels of the user and the image. */
  readonly labels: Readonly<Record<string, string>>;
  /** The last known start; the pid of its process distinguishes it from others. */
  readonly started?: { readonly pid: number; readonly atMs: number } | undefined;
}

/** The action of an event, with its own attributes. */
type ActionPart = Pick<HostEvent, 'action'> & { readonly attributes?: Readonly<Record<string, string>> };

/** Undefined for an event without a Docker word, and for one about another kind of object. */
export function containerEventFrom(event: ContainerdEvent, facts: ContainerFacts): HostEvent | undefined {
  const part = actionPartOf(event, facts);
  const id = containerOf(event);
  if (part === undefined || id === undefined) return undefined;
  const image = facts.image === '' ? {} : { image: facts.image };
  // Attributes of container and action override a label of the same name, because an image chooses its labels.
  const attributes = { ...facts.labels, ...image, name: facts.name, ...part.attributes };
  return { type: 'container', action: part.action, id, namespace: event.namespace, atMs: event.atMs, attributes };
}

/**
 * A name was given to an image or removed: containerd reports no more, so it is `tag` and `untag`. A pull, a load and a
 * tag look the same, and the removal of an image (`delete`) is not reported.
 *
 * @param familiarName of the image record, as Docker shows it
 */
export function imageEventFrom(event: ContainerdEvent, familiarName: string): HostEvent | undefined {
  const action = IMAGE_ACTIONS[event.kind];
  if (action === undefined || isDanglingName(familiarName)) return undefined;
  const { namespace, atMs } = event;
  return { type: 'image', action, id: familiarName, namespace, atMs, attributes: { name: familiarName } };
}

/** An event of a network, a volume or an image that a healthctl process published; undefined for any other. */
export function objectEventFrom(event: ContainerdEvent): HostEvent | undefined {
  const own = event.kind === 'own' ? parseOwnEvent(event) : undefined;
  if (own?.kind !== 'object') return undefined;
  const { type, action, id, attributes } = own;
  return { type, action, id, namespace: event.namespace, atMs: event.atMs, attributes };
}

const IMAGE_ACTIONS: Readonly<Partial<Record<ContainerdEvent['kind'], string>>> = {
  'image-created': 'tag',
  'image-updated': 'tag',
  'image-deleted': 'untag',
};

/** The id of the container that an event is about. */
export function containerOf(event: ContainerdEvent): string | undefined {
  if (event.kind === 'own') {
    const own = parseOwnEvent(event);
    return own?.kind === 'object' ? undefined : own?.id;
  }
  return 'id' in event ? event.id : undefined;
}

function actionPartOf(event: ContainerdEvent, facts: ContainerFacts): ActionPart | undefined {
  switch (event.kind) {
    case 'container-created':
      return { action: 'create' };
    case 'container-deleted':
      return { action: 'destroy' };
    case 'task-started':
      return { action: 'start' };
    case 'task-exited':
      return { action: 'die', attributes: { exitCode: String(event.exitStatus), ...durationOf(event, facts) } };
    case 'task-paused':
      return { action: 'pause' };
    case 'task-resumed':
      return { action: 'unpause' };
    case 'task-oom':
      return { action: 'oom' };
    // Docker adds the command, which containerd does not report.
    case 'exec-added':
      return beginOfExec('exec_create', event.execId);
    case 'exec-started':
      return beginOfExec('exec_start', event.execId);
    case 'exec-exited': {
      const execID = apiExecIdOf(event.execId) ?? event.execId;
      return { action: 'exec_die', attributes: { execID, exitCode: String(event.exitStatus) } };
    }
    case 'own':
      return ownActionPart(event);
    case 'task-created':
    case 'task-deleted':
    case 'container-updated':
    case 'image-created':
    case 'image-updated':
    case 'image-deleted':
      return undefined;
  }
}

/** Undefined for an exec of Docker's API, which has published this itself. */
function beginOfExec(action: string, execId: string): ActionPart | undefined {
  return apiExecIdOf(execId) === undefined ? { action, attributes: { execID: execId } } : undefined;
}

function ownActionPart(event: Extract<ContainerdEvent, { kind: 'own' }>): ActionPart | undefined {
  const own = parseOwnEvent(event);
  if (own === undefined) return undefined;
  switch (own.kind) {
    case 'health-status':
      return own.status === 'starting' ? undefined : { action: `health_status: ${own.status}` };
    case 'kill':
      return { action: 'kill', attributes: { signal: String(own.signal) } };
    case 'health-action':
      return { action: `health_action: ${own.action}`, attributes: { reason: own.reason } };
    case 'rename':
      // The label's update may still be under way.
      return { action: 'rename', attributes: { oldName: `/${own.oldName}`, name: own.name } };
    case 'stop':
    case 'restart':
      return { action: own.kind };
    case 'action':
      return { action: own.action, attributes: own.attributes ?? {} };
    case 'exec':
      return { action: own.action, attributes: { execID: own.execId } };
    case 'object':
      return undefined;
  }
}

/** In whole seconds, as in Docker; nothing if the start of this run is unknown. */
function durationOf(
  { pid, exitedAtMs }: Extract<ContainerdEvent, { kind: 'task-exited' }>,
  { started }: ContainerFacts,
): ActionPart['attributes'] {
  if (started === undefined || started.pid !== pid || exitedAtMs === 0) return {};
  return { execDuration: String(Math.max(0, Math.trunc((exitedAtMs - started.atMs) / 1000))) };
}
