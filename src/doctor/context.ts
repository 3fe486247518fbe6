import type { ContainerContext } from '../container/context.ts';
import type { ListedContainer } from '../container/list.ts';
import type { DaemonStatus } from '../daemon/api/answers.ts';
import type { Clock } from '../lib/clock.ts';
import type { HealthctlError } from '../lib/errors.ts';
import type { Settings } from '../lib/settings.ts';

/** What the checks of a host use. */
export interface DoctorContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The PATH of the caller. */
  readonly path: string;
  /** Creates the context of a namespace. Nothing is asked of containerd yet. */
  readonly contextOf: (namespace: string) => Promise<ContainerContext>;
  readonly askMonitor: () => Promise<MonitorAnswer>;
  /** The containers of all namespaces, read once. Throws if containerd does not answer. */
  readonly containers: () => Promise<readonly HostContainer[]>;
}

export type MonitorAnswer =
  | { readonly kind: 'answered'; readonly status: DaemonStatus }
  | { readonly kind: 'absent' }
  /** One may run, and cannot be asked. */
  | { readonly kind: 'unclear'; readonly error: HealthctlError };

export interface HostContainer extends ListedContainer {
  readonly namespace: string;
}
