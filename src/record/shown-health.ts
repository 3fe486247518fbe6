import type { GivenHealthConfig } from '../health/config.ts';
import type { HealthState, StoredHealth } from '../health/state.ts';

/** The health to show for a container: nothing without a check, no state if it was never started. */
export interface ShownHealth {
  readonly config: GivenHealthConfig | undefined;
  readonly state: HealthState | undefined;
  readonly log: StoredHealth['log'];
}

/** Docker's word in lists and filters: `none` without a state. */
export function statusWord(health: Pick<ShownHealth, 'state'>): 'none' | HealthState['status'] {
  return health.state?.status ?? 'none';
}
