import { hasCode } from '../lib/errors.ts';
import { LeasesDefinition as Service } from './gen/containerd/leases.ts';
import type { Rpc } from './rpc.ts';
import type { CallOptions } from './transport.ts';

/** Leases hold what is being made until it is referenced by something that stays. */
export interface Leases {
  /**
   * @param request.expiresAtMs when containerd may drop it by itself, should we die: milliseconds since the epoch
   * @param request.holder names the process that needs it
   */
  create(
    request: { readonly id: string; readonly expiresAtMs: number; readonly holder: string },
    options?: CallOptions,
  ): Promise<void>;
  /** A lease that does not exist is fine. @param request.sync also waits for the collection of what it held */
  delete(request: { readonly id: string; readonly sync?: boolean }, options?: CallOptions): Promise<void>;
  /** All leases of the namespace. */
  list(options?: CallOptions): Promise<readonly Lease[]>;
}

export interface Lease {
  readonly id: string;
  /** Undefined for one that others made. */
  readonly holder: string | undefined;
}

/** The label that tells containerd's garbage collector when a lease ends (docs/garbage-collection.md of containerd). */
const EXPIRE_LABEL = 'containerd.io/gc.expire';
const HOLDER_LABEL = 'healthctl/holder';

export function openLeases(rpc: Rpc): Leases {
  const { create, delete: remove, list } = Service.methods;
  return {
    create: async ({ id, expiresAtMs, holder }, options) => {
      const expires = new Date(expiresAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
      await rpc.call(Service, create, { id, labels: { [EXPIRE_LABEL]: expires, [HOLDER_LABEL]: holder } }, options);
    },
    delete: async ({ id, sync = false }, options) => {
      try {
        await rpc.call(Service, remove, { id, sync }, options);
      } catch (error) {
        if (!hasCode(error, 'NOT_FOUND')) throw error;
      }
    },
    list: async (options) => {
      const { leases } = await rpc.call(Service, list, { filters: [] }, options);
      return leases.map(({ id, labels }) => ({ id, holder: labels[HOLDER_LABEL] }));
    },
  };
}
