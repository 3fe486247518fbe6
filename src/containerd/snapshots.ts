import { hasCode } from '../lib/errors.ts';
import { DiffDefinition } from './gen/containerd/diff.ts';
import { SnapshotsDefinition as Service } from './gen/containerd/snapshots.ts';
import type { Descriptor, Mount } from './gen/containerd/types.ts';
import type { Rpc } from './rpc.ts';
import type { CallOptions } from './transport.ts';

interface SnapshotName {
  readonly snapshotter: string;
  readonly key: string;
}

/** File systems made of layers. */
export interface Snapshots {
  exists(snapshot: SnapshotName, options?: CallOptions): Promise<boolean>;
  /** A writable snapshot on top of `parent` (a chain id, or empty). @returns how to mount it */
  prepare(
    snapshot: SnapshotName & { readonly parent: string; readonly labels?: Readonly<Record<string, string>> },
    options?: CallOptions,
  ): Promise<readonly Mount[]>;
  mounts(snapshot: SnapshotName, options?: CallOptions): Promise<readonly Mount[]>;
  /** Makes the prepared snapshot `key` a layer called `name`. */
  commit(
    snapshot: SnapshotName & { readonly name: string; readonly labels?: Readonly<Record<string, string>> },
    options?: CallOptions,
  ): Promise<void>;
  /** It is no error if the snapshot does not exist. */
  remove(snapshot: SnapshotName, options?: CallOptions): Promise<void>;
  /** The names of all snapshots of the namespace. */
  list(snapshotter: string, options?: CallOptions): Promise<readonly string[]>;
  /** Bytes of the snapshot itself, without its parents. */
  usage(snapshot: SnapshotName, options?: CallOptions): Promise<number>;
  /**
   * Unpacks a layer of the content store onto these mounts. @returns the digest of the uncompressed layer (its diff id)
   */
  apply(
    layer: { readonly descriptor: Descriptor; readonly mounts: readonly Mount[] },
    options?: CallOptions,
  ): Promise<string>;
  /**
   * Writes what distinguishes one file system from another into the content store, as a layer that is not compressed.
   *
   * @param request.ref names the write
   */
  diff(
    request: { readonly left: readonly Mount[]; readonly right: readonly Mount[]; readonly ref: string },
    options?: CallOptions,
  ): Promise<{ readonly digest: string; readonly size: number }>;
}

/** Of the layers that `diff` writes: their digest is their diff id. */
const PLAIN_LAYER = 'application/vnd.oci.image.layer.v1.tar';

export function openSnapshots(rpc: Rpc): Snapshots {
  const m = Service.methods;
  const ignoreMissing = async (done: Promise<unknown>): Promise<boolean> => {
    try {
      await done;
      return true;
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return false;
      throw error;
    }
  };
  return {
    exists: (snapshot, options) => ignoreMissing(rpc.call(Service, m.stat, { ...snapshot }, options)),
    prepare: async ({ labels = {}, ...snapshot }, options) =>
      (await rpc.call(Service, m.prepare, { ...snapshot, labels: { ...labels } }, options)).mounts,
    mounts: async (snapshot, options) => (await rpc.call(Service, m.mounts, { ...snapshot }, options)).mounts,
    commit: async ({ labels = {}, ...snapshot }, options) => {
      await rpc.call(Service, m.commit, { ...snapshot, labels: { ...labels } }, options);
    },
    remove: async (snapshot, options) => {
      await ignoreMissing(rpc.call(Service, m.remove, { ...snapshot }, options));
    },
    list: async (snapshotter, options) => {
      const names: string[] = [];
      for await (const { info } of rpc.stream(Service, m.list, { snapshotter, filters: [] }, options))
        names.push(...info.map(({ name }) => name));
      return names;
    },
    usage: async (snapshot, options) => (await rpc.call(Service, m.usage, { ...snapshot }, options)).size,
    apply: async ({ descriptor, mounts }, options) => {
      const request = { diff: descriptor, mounts: [...mounts] };
      // No deadline: a large layer takes long.
      const { applied } = await rpc.call(DiffDefinition, DiffDefinition.methods.apply, request, {
        timeoutMs: 0,
        ...options,
      });
      return applied?.digest ?? '';
    },
    diff: async ({ left, right, ref }, options) => {
      const request = { left: [...left], right: [...right], mediaType: PLAIN_LAYER, ref, labels: {} };
      // No deadline: all files of both are compared.
      const { diff } = await rpc.call(DiffDefinition, DiffDefinition.methods.diff, request, {
        timeoutMs: 0,
        ...options,
      });
      return { digest: diff?.digest ?? '', size: diff?.size ?? 0 };
    },
  };
}
