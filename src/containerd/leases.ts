import { hasCode } from '../lib/errors.ts';
import { LeasesDefinition as Service } from './gen/containerd/leases.ts';
import type { Rpc } from './rpc.ts';
import type { CallOptions } from './transport.ts';

/** Leases hold new objects until something permanent references them. */
export interface Leases {
  /**
   * @param request.expiresAtMs when containerd may drop it by itself, if we die: milliseconds since the epoch
   * @param request.holder identifies the process that needs it
   */
  create(
    request: { readonly id: string; readonly expiresAtMs: number; readonly holder: string },
    options?: CallOptions,
  ): Promise<void>;
  /** It is no error if the lease does not exist. @param request.sync also waits for the collection of what it held */
  delete(request: { readonly id: string; readonly sync?: boolean }, options?: CallOptions): Promise<void>;
  /** All leases of the namespace. */
  list(options?: CallOptions): Promise<readonly Lease[]>;
}

export interface Lease {
  readonly id: string;
  /** Undefined for a lease of another tool. */
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
