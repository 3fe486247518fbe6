import type { HookName } from '../../lib/settings.ts';
import type { HookEvent } from '../hooks/hook-event.ts';

/** `gone`: a container that was unhealthy has ended, was removed, or has no health check any more. */
export type AlertName = HookName | 'gone';

/** An event for a server: that of a program, and `gone`, which a server needs to end its alert. */
export interface AlertEvent extends Omit<HookEvent, 'event'> {
  readonly event: AlertName;
}

/** What is posted: an event, and what the receiver cannot know. Keys are never renamed; later versions may add some. */
export interface AlertDocument extends AlertEvent {
  /** The name of this machine. */
  readonly host: string;
  /** For `healthy` and `gone` after `unhealthy`: its time. RFC 3339. */
  readonly unhealthySince?: string;
  /**
   * How many changes since the last delivery were not sent, because they came within `min_interval`; absent if none.
   */
  readonly damped?: number;
}

/** The container of an event: `namespace/id`, and its name. */
export type AlertSubject = Pick<AlertEvent, 'namespace' | 'id' | 'name' | 'image'>;
