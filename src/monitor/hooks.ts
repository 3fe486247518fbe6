import type { ContainerRecord } from '../containerd/containers.ts';
import type { ContainerdEvent } from '../containerd/events.ts';
import type { Result } from '../health/result.ts';
import type { HealthState } from '../health/state.ts';
import type { Watched } from './host-model.ts';

/** What the monitor tells of. */
export interface MonitorHooks {
  /** containerd answers, or answers again: the list is taken in. */
  onLive?(): void;
  /** All containers of a namespace, as a list of containerd tells. */
  onListed(namespace: string, records: readonly ContainerRecord[]): void;
  /** Each event in order, after the monitor has taken it in. */
  onEvent(event: ContainerdEvent): void;
  /** A run has ended, or was found ended; its worker is stopped by then. `exit` is undefined when nobody knows how it ended. */
  onExit(container: Watched, exit: Exit | undefined): Promise<void>;
  /** A container is gone from containerd, whoever removed it. */
  onGone(container: Watched): Promise<void>;
  /** A check of a container has recorded a result, be it nerdctl's. */
  onResult(container: Watched, state: HealthState, output: string): void;
  /** A result has changed the status of a container, be it nerdctl's. */
  onStatus(container: Watched, state: HealthState, result: Result): void;
  /** What is shown of a container may have changed. */
  onChange(key: string): void;
}

export interface Exit {
  readonly code: number;
  readonly atMs: number;
}
