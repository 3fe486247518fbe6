import type { ContainerContext } from '../container/context.ts';
import type { ListedContainer } from '../container/list.ts';
import type { TimeRange } from '../events/event-log.ts';
import type { HostEvent } from '../events/host-event.ts';
import type { Clock } from '../lib/clock.ts';
import type { ServiceLogger } from '../lib/logger.ts';
import type { Settings } from '../lib/settings.ts';
import type { Attachments } from './containers/attachments.ts';
import type { Execs } from './exec/execs.ts';

/** What the engine needs from the process that it runs in. */
export interface EngineHost {
  /** Asks containerd for a container again, so that later answers show its present state. */
  refresh(id: string): Promise<void>;
  /**
   * Removes a container that nothing else may touch meanwhile, such as a check of it. Throws as the command `rm` does.
   */
  remove(
    id: string,
    options: { readonly force: boolean; readonly volumes: boolean; readonly signal: AbortSignal },
  ): Promise<void>;
  /**
   * All containers, the newest first, from memory, without the results of their checks; undefined if containerd is to be
   * asked.
   */
  listed(): readonly ListedContainer[] | undefined;
  /** Whether a restart of a container is under way, and when its policy starts it again: wall time. */
  restartOf(id: string): { readonly isRestarting: boolean; readonly nextRestartAtMs: number | undefined };
  /**
   * Events of the namespace: those of the range first, then each as it happens.
   *
   * @returns a function that resolves at the end of the range, or when the signal fires. It throws EXHAUSTED if `give`
   *   is slower than the events.
   */
  openEvents(range: TimeRange): (give: (event: HostEvent) => Promise<void>, signal: AbortSignal) => Promise<void>;
  /** Figures about this process. */
  figures(): { readonly descriptors: number; readonly listeners: number; readonly isDebug: boolean };
}

/** What all routes are made from. */
export interface EngineDeps {
  /** Of the namespace that is served. */
  readonly ctx: ContainerContext;
  readonly host: EngineHost;
  readonly settings: Settings;
  /** Where programs such as runc are searched for. */
  readonly path: string;
  /** The clients that attached to containers before their start. */
  readonly attachments: Attachments;
  readonly execs: Execs;
  readonly clock: Clock;
  readonly log: ServiceLogger;
}
