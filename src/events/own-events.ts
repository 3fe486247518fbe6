import type { Events } from '../containerd/events.ts';
import { HEALTH_STATUSES, type HealthStatus } from '../health/state.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { as, isCount, isText, type JsonObject, objectIn, oneOf, parseJsonText, textMapIn } from '../lib/shape.ts';

/** Events that healthctl publishes through containerd, because containerd cannot know them. */
export type OwnEvent =
  /** A result changed the status. */
  | {
      readonly kind: 'health-status';
      readonly id: string;
      readonly status: HealthStatus;
      readonly failingStreak: number;
    }
  /** A signal is about to be sent. */
  | { readonly kind: 'kill'; readonly id: string; readonly signal: number }
  /** Stopped by a user: the container has ended. */
  | { readonly kind: 'stop'; readonly id: string }
  /** Stopped and started by a user. */
  | { readonly kind: 'restart'; readonly id: string }
  /** Renamed by a user. */
  | { readonly kind: 'rename'; readonly id: string; readonly oldName: string; readonly name: string }
  /** An exec of Docker's API was created, or is about to start. */
  | { readonly kind: 'exec'; readonly id: string; readonly execId: string; readonly action: string }
  /** A user did something with a container that containerd does not see, or does not report in these words. */
  | ({ readonly kind: 'action' } & ContainerAction)
  /** An action on an unhealthy container. */
  | { readonly kind: 'health-action'; readonly id: string; readonly action: HealthAction; readonly reason: string }
  | ({ readonly kind: 'object' } & ObjectEvent);

/** What a user did with a container, in Docker's words: `attach`, `top`, `update`. */
export interface ContainerAction {
  readonly id: string;
  readonly action: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Something happened to an object that containerd does not know, or that it does not report in these words. */
export interface ObjectEvent {
  readonly type: ObjectType;
  /** Docker's word: `connect`, `mount`, `pull`. */
  readonly action: string;
  /** Of a network; the name of a volume or an image. */
  readonly id: string;
  /** Docker's, e.g. `name`, `container`, `driver`. */
  readonly attributes: Readonly<Record<string, string>>;
}

const OBJECT_TYPES = ['image', 'network', 'volume'] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];

const HEALTH_ACTIONS = ['kill', 'stop', 'restart'] as const;
export type HealthAction = (typeof HEALTH_ACTIONS)[number];

/** Its value is `{"ID":"3f4e…","Status":"healthy","FailingStreak":0}`. */
export const HEALTH_STATUS_TOPIC = '/healthctl/health-status';
/** `{"ID":"3f4e…","Signal":15}` */
const KILL_TOPIC = '/healthctl/kill';
/** `{"ID":"3f4e…"}` */
const STOP_TOPIC = '/healthctl/stop';
/** `{"ID":"3f4e…"}` */
const RESTART_TOPIC = '/healthctl/restart';
/** `{"ID":"3f4e…","OldName":"web","Name":"web-2"}` */
const RENAME_TOPIC = '/healthctl/rename';
/** `{"ID":"3f4e…","Action":"restart","Reason":"unhealthy: connection refused"}` */
const HEALTH_ACTION_TOPIC = '/healthctl/health-action';
/** `{"ID":"3f4e…","ExecID":"81ac…","Action":"exec_create: sh -c date"}` */
const EXEC_TOPIC = '/healthctl/exec';
/** `{"ID":"3f4e…","Action":"resize","Attributes":{"height":"24","width":"80"}}` */
const ACTION_TOPIC = '/healthctl/action';
/** `{"ID":"9f0c…","Type":"network","Action":"connect","Attributes":{"name":"web","container":"3f4e…"}}` */
const OBJECT_TOPIC = '/healthctl/object';

/** Needed for publishing. Callers continue whether it succeeded or not. */
export interface Publisher {
  readonly events: Pick<Events, 'publish'>;
  readonly log: Pick<Logger, 'debug'>;
}

export function publishHealthStatus(
  events: Publisher['events'],
  log: Publisher['log'],
  { id, status, failingStreak }: { readonly id: string; readonly status: HealthStatus; readonly failingStreak: number },
): Promise<void> {
  return publish({ events, log }, HEALTH_STATUS_TOPIC, { ID: id, Status: status, FailingStreak: failingStreak });
}

export const publishKill = (publisher: Publisher, { id, signal }: { readonly id: string; readonly signal: number }) =>
  publish(publisher, KILL_TOPIC, { ID: id, Signal: signal });

export const publishStop = (publisher: Publisher, { id }: { readonly id: string }) =>
  publish(publisher, STOP_TOPIC, { ID: id });

export const publishRestart = (publisher: Publisher, { id }: { readonly id: string }) =>
  publish(publisher, RESTART_TOPIC, { ID: id });

export const publishRename = (
  publisher: Publisher,
  { id, oldName, name }: { readonly id: string; readonly oldName: string; readonly name: string },
) => publish(publisher, RENAME_TOPIC, { ID: id, OldName: oldName, Name: name });

export const publishHealthAction = (
  publisher: Publisher,
  { id, action, reason }: { readonly id: string; readonly action: HealthAction; readonly reason: string },
) => publish(publisher, HEALTH_ACTION_TOPIC, { ID: id, Action: action, Reason: reason });

export const publishExec = (
  publisher: Publisher,
  { id, execId, action }: { readonly id: string; readonly execId: string; readonly action: string },
) => publish(publisher, EXEC_TOPIC, { ID: id, ExecID: execId, Action: action });

export const publishAction = (publisher: Publisher, { id, action, attributes = {} }: ContainerAction) =>
  publish(publisher, ACTION_TOPIC, { ID: id, Action: action, Attributes: attributes });

export const publishObject = (publisher: Publisher, { type, action, id, attributes }: ObjectEvent) =>
  publish(publisher, OBJECT_TOPIC, { ID: id, Type: type, Action: action, Attributes: attributes });

/** Never fails: a lost event must not undo the action that it reports. */
async function publish({ events, log }: Publisher, topic: string, value: Readonly<Record<string, unknown>>) {
  try {
    await events.publish({ topic, json: JSON.stringify(value) });
  } catch (error) {
    log.debug(`the event ${topic} was not published: ${messageOf(error)}`);
  }
}

/** Undefined for an unknown topic or value: another version of healthctl may publish more. */
export function parseOwnEvent({
  topic,
  json,
}: {
  readonly topic: string;
  readonly json: string;
}): OwnEvent | undefined {
  const value = objectIn(parseJsonText(json));
  const id = value.ID;
  if (!isText(id) || id === '') return undefined;
  switch (topic) {
    case HEALTH_STATUS_TOPIC: {
      const status = as(oneOf(HEALTH_STATUSES), value.Status);
      const failingStreak = value.FailingStreak;
      if (status === undefined || !isCount(failingStreak)) return undefined;
      return { kind: 'health-status', id, status, failingStreak };
    }
    case KILL_TOPIC:
      return isCount(value.Signal) ? { kind: 'kill', id, signal: value.Signal } : undefined;
    case STOP_TOPIC:
      return { kind: 'stop', id };
    case RESTART_TOPIC:
      return { kind: 'restart', id };
    case RENAME_TOPIC: {
      const { OldName: oldName, Name: name } = value;
      return isText(oldName) && isText(name) ? { kind: 'rename', id, oldName, name } : undefined;
    }
    case EXEC_TOPIC: {
      const { ExecID: execId, Action: action } = value;
      return isText(execId) && isText(action) ? { kind: 'exec', id, execId, action } : undefined;
    }
    case ACTION_TOPIC:
      return isText(value.Action)
        ? { kind: 'action', id, action: value.Action, attributes: textMapIn(value.Attributes) }
        : undefined;
    case HEALTH_ACTION_TOPIC: {
      const action = as(oneOf(HEALTH_ACTIONS), value.Action);
      if (action === undefined || !isText(value.Reason)) return undefined;
      return { kind: 'health-action', id, action, reason: value.Reason };
    }
    case OBJECT_TOPIC:
      return objectEventFrom(id, value);
    default:
      return undefined;
  }
}

function objectEventFrom(id: string, { Type, Action, Attributes }: JsonObject): OwnEvent | undefined {
  const type = as(oneOf(OBJECT_TYPES), Type);
  if (type === undefined || !isText(Action)) return undefined;
  return { kind: 'object', type, action: Action, id, attributes: textMapIn(Attributes) };
}
