import { rfc3339FromMillis } from '../../health/result.ts';
import type { HookName } from '../../lib/settings.ts';
import type { KnownContainer } from '../../monitor/host-model.ts';
import { containerNameOf } from '../../record/container-name.ts';

/** The input of a hook: the JSON on its stdin. Keys are never renamed; later versions may add some. */
export interface HookEvent {
  readonly event: HookName;
  /** RFC 3339. */
  readonly time: string;
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** For `restart`: the reason. */
  readonly reason?: string;
  /** For `healthy` and `unhealthy`: the result that caused it. */
  readonly failingStreak?: number;
  readonly exitCode?: number;
  readonly output?: string;
}

/** @param what the facts besides the container's */
export function hookEventOf(
  { namespace, id, record }: Pick<KnownContainer, 'namespace' | 'id' | 'record'>,
  nowMs: number,
  what: Pick<HookEvent, 'event' | 'reason' | 'failingStreak' | 'exitCode' | 'output'>,
): HookEvent {
  const { event, ...more } = what;
  const time = rfc3339FromMillis(nowMs);
  return { event, time, namespace, id, name: containerNameOf(record), image: record.image, ...more };
}
