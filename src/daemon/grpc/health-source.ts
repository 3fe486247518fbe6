import { hasCode } from '../../lib/errors.ts';
import type { Service } from '../api/service.ts';
import type { HealthSource, ServingStatus } from './grpc-health.ts';

/** What the gRPC health protocol tells of containers: by name or id, `namespace/name`. */
export interface ContainerHealthSource extends HealthSource {
  /** To be called when what a container's health is may have changed. */
  tell(services: readonly string[]): void;
}

export function createHealthSource(service: Service): ContainerHealthSource {
  const listeners = new Set<(service: string) => void>();
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
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell: (services) => {
      for (const listener of listeners) for (const name of services) listener(name);
    },
  };
}

/** `starting` is not known to serve yet; without a check a container serves for as long as it runs. */
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
