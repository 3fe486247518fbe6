import type { ContainerRecord } from '../containerd/containers.ts';
import type { ContainerdEvent } from '../containerd/events.ts';
import type { Result } from '../health/result.ts';
import type { HealthState } from '../health/state.ts';
import type { KnownContainer } from './host-model.ts';

/** Callbacks of the monitor. */
export interface MonitorHooks {
  /** containerd answers, for the first time or again: its list was applied. */
  onLive?(): void;
  /** All containers of a namespace, from a list of containerd. */
  onListed(namespace: string, records: readonly ContainerRecord[]): void;
  /** Each event in order, after the monitor has applied it. */
  onEvent(event: ContainerdEvent): void;
  /**
   * A run has ended, or was found ended; its worker is already stopped. `exit` is undefined if it is unknown how it
   * ended.
   */
  onExit(container: KnownContainer, exit: Exit | undefined): Promise<void>;
  /** A container is gone from containerd; any tool may have removed it. */
  onGone(container: KnownContainer): Promise<void>;
  /** A check of a container has recorded a result, also one by nerdctl. */
  onResult(container: KnownContainer, recorded: RecordedResult): void;
  /** A result has changed the status of a container, also one by nerdctl. */
  onStatus(container: KnownContainer, state: HealthState, result: Result): void;
  /** The visible state of a container may have changed. */
  onChange(key: string): void;
}

/** A result, and the state after it. */
export interface RecordedResult {
  readonly state: HealthState;
  readonly result: Result;
  /** Lateness of the start of the check, in milliseconds; undefined for one that was not scheduled by us. */
  readonly lagMs: number | undefined;
}

export interface Exit {
  readonly code: number;
  readonly atMs: number;
}
