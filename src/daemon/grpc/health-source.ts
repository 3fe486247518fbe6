import { hasCode } from '../../lib/errors.ts';
import type { Service } from '../api/service.ts';
import type { HealthSource, ServingStatus } from './grpc-health.ts';

/** The names of containers whose health may have changed, from the monitor to the streams that follow them. */
export interface HealthChanges {
  notify(services: readonly string[]): void;
  /** @returns ends the subscription */
  readonly onChange: HealthSource['onChange'];
}

export function createHealthChanges(): HealthChanges {
  const listeners = new Set<(service: string) => void>();
  return {
    notify: (services) => {
      for (const listener of listeners) for (const name of services) listener(name);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Containers' health for the gRPC health protocol: by name or id, `namespace/name`. */
export function createHealthSource(service: Pick<Service, 'serving'>, changes: HealthChanges): HealthSource {
  return {
    statusOf: (name) => {
      const slash = name.indexOf('/');
      if (slash < 0) return undefined;
      try {
        return servingStatus(service.serving(name.slice(0, slash), name.slice(slash + 1)));
      } catch (error) {
        if (hasCode(error, 'UNWATCHED', 'NOT_FOUND', 'AMBIGUOUS')) return undefined;
        if (hasCode(error, 'UNAVAILABLE')) return 'UNKNOWN';
        throw error;
      }
    },
    onChange: changes.onChange,
  };
}

/** A `starting` container may not serve yet; one without a check serves for as long as it runs. */
function servingStatus({ status, isUp }: ReturnType<Service['serving']>): ServingStatus {
  switch (status) {
    case 'healthy':
      return 'SERVING';
    case 'unhealthy':
      return 'NOT_SERVING';
    case 'starting':
      return 'UNKNOWN';
    case 'none':
      return isUp ? 'SERVING' : 'NOT_SERVING';
  }
}
