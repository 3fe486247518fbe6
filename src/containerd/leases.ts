import { hasCode } from '../lib/errors.ts';
import { LeasesDefinition as Service } from './gen/containerd/leases.ts';
import type { Rpc } from './rpc.ts';
import type { CallOptions } from './transport.ts';

/** Leases hold what is being made until it is referenced by something that stays. */
export interface Leases {
  /** @param request.expiresAtMs when containerd may drop it by itself, should we die: milliseconds since the epoch */
  create(request: { readonly id: string; readonly expiresAtMs: number }, options?: CallOptions): Promise<void>;
  /** A lease that does not exist is fine. @param request.sync also waits for the collection of what it held */
  delete(request: { readonly id: string; readonly sync?: boolean }, options?: CallOptions): Promise<void>;
  /** The ids of all leases of the namespace. */
  list(options?: CallOptions): Promise<readonly string[]>;
}

/** The label that tells containerd's garbage collector when a lease ends (docs/garbage-collection.md of containerd). */
const EXPIRE_LABEL = 'containerd.io/gc.expire';

export function openLeases(rpc: Rpc): Leases {
  const { create, delete: remove, list } = Service.methods;
  return {
    create: async ({ id, expiresAtMs }, options) => {
      const expires = new Date(expiresAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
      await rpc.call(Service, create, { id, labels: { [EXPIRE_LABEL]: expires } }, options);
    },
    delete: async ({ id, sync = false }, options) => {
      try {
        await rpc.call(Service, remove, { id, sync }, options);
      } catch (error) {
        if (!hasCode(error, 'NOT_FOUND')) throw error;
      }
    },
    list: async (options) => (await rpc.call(Service, list, { filters: [] }, options)).leases.map((lease) => lease.id),
  };
}
