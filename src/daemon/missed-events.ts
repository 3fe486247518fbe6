import type { ContainerdEvent } from '../containerd/events.ts';
import { factsReader } from '../events/facts-reader.ts';
import { containerEventFrom, type HostEvent } from '../events/host-event.ts';
import { processOfRun } from '../health/state.ts';
import type { KnownContainer } from '../monitor/host-model.ts';
import { recordFromCompact } from '../record/compact-record.ts';

/** The most past events to derive: the ring holds some thousand. */
const MAX_MISSED = 1_000;
/**
 * The kernel gives a process's start to within 10 ms; the event follows at the start of the program, after networks and
 * hooks.
 */
const SLACK_MS = 1_000;

/**
 * Events that happened without a monitor, derived from the containers: creations, starts and ends since the log was
 * last written, with the times of containerd and the kernel. The first container of a host is created and started
 * before the monitor that it needs.
 *
 * @param past.events the recorded ones
 * @param past.knownUntilMs nothing was missed up to this time
 * @returns oldest first, without recorded ones
 */
export function missedEvents(
  containers: Iterable<KnownContainer>,
  past: { readonly events: readonly HostEvent[]; readonly knownUntilMs: number },
): readonly MissedEvent[] {
  const known = new Map<string, number>();
  for (const { type, action, namespace, id, atMs } of past.events)
    if (type === 'container') known.set(`${action} ${namespace}/${id}`, atMs);
  const isMissed = ({ event, hostEvent: { action, namespace, id, atMs } }: MissedEvent): boolean => {
    const lastMs = known.get(`${action} ${namespace}/${id}`);
    const isKnown = lastMs !== undefined && (event.kind === 'container-created' || lastMs >= atMs - SLACK_MS);
    return !isKnown && atMs > past.knownUntilMs;
  };
  return [...containers]
    .filter((container) => lastMsOf(container) > past.knownUntilMs)
    .flatMap(eventsOf)
    .filter(isMissed)
    .sort((a, b) => a.hostEvent.atMs - b.hostEvent.atMs)
    .slice(-MAX_MISSED);
}

/** An event, and its form for users. */
export interface MissedEvent {
  readonly event: ContainerdEvent;
  readonly hostEvent: HostEvent;
}

/** A key for an event that happens only once, however it became known; undefined for one that may happen again. */
export function onceKeyOf(event: ContainerdEvent): string | undefined {
  switch (event.kind) {
    case 'container-created':
      return `created ${event.namespace}/${event.id}`;
    case 'task-started':
    case 'task-exited':
      return `${event.kind} ${event.namespace}/${event.id} ${event.pid}`;
    default:
      return undefined;
  }
}

/** The time of the last known change, as far as it is free to find out. */
const lastMsOf = ({ record, run, task }: KnownContainer): number =>
  Math.max(record.createdAtMs, run?.startedAtMs ?? 0, task?.exitedAtMs ?? 0);

function eventsOf(container: KnownContainer): readonly MissedEvent[] {
  const { namespace, id, task, run } = container;
  const record = recordFromCompact(container.record);
  const facts = factsReader.ofRecord(record);
  const ran = run && processOfRun(run.id);
  const noted = facts.started && (!ran || facts.started.pid === ran.pid) ? facts.started : undefined;
  const started = noted ?? (run && ran && { pid: ran.pid, atMs: run.startedAtMs });
  const events: ContainerdEvent[] = [
    { kind: 'container-created', id, namespace, image: record.image, atMs: record.createdAtMs },
  ];
  if (started) events.push({ kind: 'task-started', id, namespace, pid: started.pid, atMs: started.atMs });
  const { status, pid = 0, exitStatus = 0, exitedAtMs } = task ?? {};
  if (status === 'stopped' && exitedAtMs !== undefined)
    events.push({ kind: 'task-exited', id, namespace, pid, exitStatus, exitedAtMs, atMs: exitedAtMs });
  return events.flatMap((event) => {
    const hostEvent = containerEventFrom(event, { ...facts, started });
    return hostEvent ? [{ event, hostEvent }] : [];
  });
}
