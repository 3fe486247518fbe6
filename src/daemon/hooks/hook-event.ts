import { rfc3339FromMillis } from '../../health/result.ts';
import type { HookName } from '../../lib/settings.ts';
import type { Watched } from '../../monitor/host-model.ts';
import { containerNameOf } from '../../record/container-name.ts';

/** What a hook is told: the JSON on its stdin. Keys are not renamed; later versions may add some. */
export interface HookEvent {
  readonly event: HookName;
  /** RFC 3339. */
  readonly time: string;
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** For `restart`: why. */
  readonly reason?: string;
  /** For `healthy` and `unhealthy`: the result that made it so. */
  readonly failingStreak?: number;
  readonly exitCode?: number;
  readonly output?: string;
}

/** @param what what is told besides which container it is */
export function hookEventOf(
  { namespace, id, record }: Pick<Watched, 'namespace' | 'id' | 'record'>,
  nowMs: number,
  what: Pick<HookEvent, 'event' | 'reason' | 'failingStreak' | 'exitCode' | 'output'>,
): HookEvent {
  const { event, ...more } = what;
  const time = rfc3339FromMillis(nowMs);
  return { event, time, namespace, id, name: containerNameOf(record), image: record.image, ...more };
}
