import type { ContainerdEvent } from '../containerd/events.ts';
import { parseOwnEvent } from './own-events.ts';

/** What happened on the host, in Docker's words. */
export interface HostEvent {
  readonly type: 'container' | 'image';
  /** E.g. `start`, `health_status: healthy`. */
  readonly action: string;
  /** The container's id; the image's familiar name, because containerd's events tell no image id. */
  readonly id: string;
  /** containerd's. */
  readonly namespace: string;
  /** Wall time, milliseconds since the epoch, with fractions. */
  readonly atMs: number;
  /** Docker's: name and image, the user's labels, and what the action brings, e.g. `exitCode`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What is known of the container that an event is about. */
export interface ContainerFacts {
  /** Without a label that names it: the id. */
  readonly name: string;
  /** As `ps` shows it; empty for a container without an image. */
  readonly image: string;
  /** The user's and the image's. */
  readonly labels: Readonly<Record<string, string>>;
  /** The last start that is known, told from others by the pid of its process. */
  readonly started?: { readonly pid: number; readonly atMs: number } | undefined;
}

/** What an event of a container brings besides the facts of the container. */
type Deed = Pick<HostEvent, 'action'> & { readonly attributes?: Readonly<Record<string, string>> };

/** Undefined for an event that Docker has no word for, and for one that is not about a container. */
export function containerEventFrom(event: ContainerdEvent, facts: ContainerFacts): HostEvent | undefined {
  const deed = deedOf(event, facts);
  const id = containerOf(event);
  if (deed === undefined || id === undefined) return undefined;
  const image = facts.image === '' ? {} : { image: facts.image };
  // What is said of the container and of the deed wins over a label of the same name: an image chooses its labels.
  const attributes = { ...facts.labels, ...image, name: facts.name, ...deed.attributes };
  return { type: 'container', action: deed.action, id, namespace: event.namespace, atMs: event.atMs, attributes };
}

/**
 * A name was given to an image, or taken from one: that is all that containerd tells, so it is `tag` and `untag`. A pull, a load and a tag
 * look the same, and that an image is gone for good (`delete`) is not told.
 *
 * @param familiarName of the image record, as Docker shows it
 */
export function imageEventFrom(event: ContainerdEvent, familiarName: string): HostEvent | undefined {
  const action = IMAGE_ACTIONS[event.kind];
  if (action === undefined) return undefined;
  const { namespace, atMs } = event;
  return { type: 'image', action, id: familiarName, namespace, atMs, attributes: { name: familiarName } };
}

const IMAGE_ACTIONS: Readonly<Partial<Record<ContainerdEvent['kind'], string>>> = {
  'image-created': 'tag',
  'image-updated': 'tag',
  'image-deleted': 'untag',
};

/** The id of the container that an event is about. */
export function containerOf(event: ContainerdEvent): string | undefined {
  if (event.kind === 'own') return parseOwnEvent(event)?.id;
  return 'id' in event ? event.id : undefined;
}

function deedOf(event: ContainerdEvent, facts: ContainerFacts): Deed | undefined {
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
    // Docker adds the command, which containerd does not tell.
    case 'exec-added':
      return { action: 'exec_create', attributes: { execID: event.execId } };
    case 'exec-started':
      return { action: 'exec_start', attributes: { execID: event.execId } };
    case 'exec-exited':
      return { action: 'exec_die', attributes: { execID: event.execId, exitCode: String(event.exitStatus) } };
    case 'own':
      return ownDeed(event);
    case 'task-created':
    case 'task-deleted':
    case 'container-updated':
    case 'image-created':
    case 'image-updated':
    case 'image-deleted':
      return undefined;
  }
}

function ownDeed(event: Extract<ContainerdEvent, { kind: 'own' }>): Deed | undefined {
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
      // The update of the label may still be on its way.
      return { action: 'rename', attributes: { oldName: `/${own.oldName}`, name: own.name } };
    case 'stop':
    case 'restart':
      return { action: own.kind };
  }
}

/** Whole seconds, as Docker has it; nothing when this run's start is not known. */
function durationOf(
  { pid, exitedAtMs }: Extract<ContainerdEvent, { kind: 'task-exited' }>,
  { started }: ContainerFacts,
): Deed['attributes'] {
  if (started === undefined || started.pid !== pid || exitedAtMs === 0) return {};
  return { execDuration: String(Math.max(0, Math.trunc((exitedAtMs - started.atMs) / 1000))) };
}
