import type { GivenHealthConfig } from '../health/config.ts';
import type { HealthState, StoredHealth } from '../health/state.ts';

/** A container's health as it is shown: nothing for a container without a check, no state for one never started. */
export interface ShownHealth {
  readonly config: GivenHealthConfig | undefined;
  readonly state: HealthState | undefined;
  readonly log: StoredHealth['log'];
}

/** Docker's word in lists and filters: `none` where there is nothing to say. */
export function statusWord(health: Pick<ShownHealth, 'state'>): 'none' | HealthState['status'] {
  return health.state?.status ?? 'none';
}
