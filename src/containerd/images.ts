import { hasCode } from '../lib/errors.ts';
import { ImagesDefinition as Service } from './gen/containerd/images.ts';
import type { Descriptor } from './gen/containerd/types.ts';
import type { Rpc } from './rpc.ts';
import { millisFromTimestamp } from './time.ts';
import type { CallOptions } from './transport.ts';

/** An image record: a name for a manifest or an index in the content store. */
export interface ImageRecord {
  /** The full name, e.g. `docker.io/library/busybox:latest`. */
  readonly name: string;
  readonly target: Descriptor;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface Images {
  find(name: string, options?: CallOptions): Promise<ImageRecord | undefined>;
  list(filters?: readonly string[], options?: CallOptions): Promise<readonly ImageRecord[]>;
  /** Creates the record, or points an existing one to the new target. */
  put(
    image: { readonly name: string; readonly target: Descriptor; readonly labels?: Readonly<Record<string, string>> },
    options?: CallOptions,
  ): Promise<void>;
  /** @param image.sync also waits for the collection of its content */
  delete(image: { readonly name: string; readonly sync?: boolean }, options?: CallOptions): Promise<void>;
}

export function openImages(rpc: Rpc): Images {
  const { get, list, create, update, delete: remove } = Service.methods;
  return {
    find: async (name, options) => {
      try {
        const { image } = await rpc.call(Service, get, { name }, options);
        return image && recordFromMessage(image);
      } catch (error) {
        if (hasCode(error, 'NOT_FOUND')) return undefined;
        throw error;
      }
    },
    list: async (filters = [], options) => {
      const { images } = await rpc.call(Service, list, { filters: [...filters] }, options);
      return images.flatMap((image) => recordFromMessage(image) ?? []);
    },
    put: async ({ name, target, labels = {} }, options) => {
      const image = { name, target, labels: { ...labels } };
      try {
        await rpc.call(Service, create, { image }, options);
      } catch (error) {
        if (!hasCode(error, 'ALREADY_EXISTS')) throw error;
        const paths = ['target', ...Object.keys(labels).map((key) => `labels.${key}`)];
        await rpc.call(Service, update, { image, updateMask: paths }, options);
      }
    },
    delete: async ({ name, sync = false }, options) => {
      await rpc.call(Service, remove, { name, sync }, options);
    },
  };
}

type ImageMessage = Parameters<(typeof Service.methods.create.requestType)['encode']>[0]['image'];

function recordFromMessage(image: NonNullable<ImageMessage>): ImageRecord | undefined {
  if (!image.target) return undefined;
  return {
    name: image.name,
    target: image.target,
    labels: image.labels,
    createdAtMs: millisFromTimestamp(image.createdAt) ?? 0,
    updatedAtMs: millisFromTimestamp(image.updatedAt) ?? 0,
  };
}
