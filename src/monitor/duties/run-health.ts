import { keyOf } from '../../lib/container-key.ts';
import type { KnownContainer } from '../host-model.ts';

/** The health of one run with one test, as far as the supervisor needs it. */
export interface RunHealth {
  readonly runId: string | undefined;
  readonly testSinceMs: number | undefined;
  /** We already acted on the current unhealthy state. */
  isHandled: boolean;
  /** Monotonic time since when it is healthy; infinity once the restart streak was reset. */
  healthySinceMs: number | undefined;
}

/** The health of the present runs. A new run, or a new test of the same run, resets it. */
export interface RunHealths {
  of(container: KnownContainer): RunHealth;
  forget(key: string): void;
}

export function createRunHealths(): RunHealths {
  const healths = new Map<string, RunHealth>();
  return {
    of: (container) => {
      const key = keyOf(container);
      const { id: runId, testSinceMs } = container.run ?? {};
      const known = healths.get(key);
      if (known && known.runId === runId && known.testSinceMs === testSinceMs) return known;
      const begun: RunHealth = { runId, testSinceMs, isHandled: false, healthySinceMs: undefined };
      healths.set(key, begun);
      return begun;
    },
    forget: (key) => void healths.delete(key),
  };
}
