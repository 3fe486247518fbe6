import {
  CONFIG_EXTENSION,
  type LabelWrites,
  labelsAtCreate,
  labelsToSet,
  trustedLabels,
} from '../lib/trusted-labels.ts';
import { anyFromJson, SPEC_TYPE_URL, textFromAny } from './any.ts';
import { type Container, ContainersDefinition as Service } from './gen/containerd/containers.ts';
import type { Rpc } from './rpc.ts';
import { RUNC_OPTIONS_TYPE_URL, RuncOptions } from './runc-options.ts';
import { millisFromTimestamp } from './time.ts';
import type { CallOptions } from './transport.ts';

/** A container's record in containerd: metadata, no process. */
export interface ContainerRecord {
  readonly id: string;
  /** The trusted labels: see trustedLabels. */
  readonly labels: Readonly<Record<string, string>>;
  /** All labels in containerd; anybody may have written them. For display only, never to act on. */
  readonly rawLabels: Readonly<Record<string, string>>;
  /** Name of its image record; empty for a container without one. */
  readonly image: string;
  /** E.g. `io.containerd.runc.v2`. */
  readonly runtime: string;
  /** Binary of the OCI runtime, where the options of the shim name one. */
  readonly runtimeBinary: string | undefined;
  readonly snapshotter: string;
  readonly snapshotKey: string;
  readonly createdAtMs: number;
  /** The OCI runtime spec as JSON text; undefined when there is none. */
  specJson(): string | undefined;
  /** An extension of the record as JSON text; undefined when there is none of this key. */
  extensionJson(key: string): string | undefined;
}

interface NewContainer {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly runtime: string;
  /** Options of the runc shim, e.g. another binary. */
  readonly runcOptions?: RuncOptions;
  readonly snapshotter: string;
  readonly snapshotKey: string;
  /** The OCI runtime spec as JSON text. */
  readonly specJson: string;
  /** Further data in the record, by key, as JSON text. Unlike a label it may have any length. */
  readonly extensions?: Readonly<Record<string, string>>;
}

export interface Containers {
  get(id: string, options?: CallOptions): Promise<ContainerRecord>;
  /**
   * @param filters containerd's filter syntax, OR-ed, e.g. `labels."nerdctl/name"==web`. Streamed, because one answer
   *   of some 1,300 containers would pass gRPC's limit.
   */
  list(filters?: readonly string[], options?: CallOptions): Promise<readonly ContainerRecord[]>;
  /** @returns the record as created by containerd */
  create(container: NewContainer, options?: CallOptions): Promise<ContainerRecord>;
  /**
   * Sets these labels and leaves the others; an empty value removes a label. Labels that control healthctl also go into
   * extensions, in the same call, and only there if they are too long for a label.
   */
  setLabels(id: string, labels: Readonly<Record<string, string>>, options?: CallOptions): Promise<void>;
  /** Replaces healthctl's own settings of a container of ours, and sets these labels as `setLabels` does: in one call. */
  setConfig(
    id: string,
    changed: { readonly config: string; readonly labels: Readonly<Record<string, string>> },
    options?: CallOptions,
  ): Promise<void>;
  /** Replaces the runtime spec, from which the next task is created. @param specJson JSON text */
  setSpec(id: string, specJson: string, options?: CallOptions): Promise<void>;
  delete(id: string, options?: CallOptions): Promise<void>;
}

export function openContainers(rpc: Rpc): Containers {
  const { get, listStream, create, update, delete: remove } = Service.methods;
  const updateFields = async (
    container: Partial<Container> & { id: string },
    paths: string[],
    options?: CallOptions,
  ) => {
    await rpc.call(Service, update, { container: { ...EMPTY, ...container }, updateMask: paths }, options);
  };
  const updateWrites = (id: string, { labels, extensions }: LabelWrites, options?: CallOptions) => {
    const paths = [
      ...Object.keys(labels).map((key) => `labels.${key}`),
      ...Object.keys(extensions).map((key) => `extensions.${key}`),
    ];
    return updateFields({ id, labels: { ...labels }, extensions: extensionsFrom(extensions) }, paths, options);
  };
  return {
    get: async (id, options) =>
      recordFromMessage((await rpc.call(Service, get, { id }, options)).container ?? { ...EMPTY, id }),
    list: async (filters = [], options) => {
      const records: ContainerRecord[] = [];
      for await (const { container } of rpc.stream(Service, listStream, { filters: [...filters] }, options)) {
        if (container) records.push(recordFromMessage(container));
      }
      return records;
    },
    create: async (container, options) => {
      const { runcOptions, specJson, runtime, extensions: own = {}, ...rest } = container;
      const writes = own[CONFIG_EXTENSION] === undefined ? undefined : labelsAtCreate(container.labels);
      const extensions = { ...own, ...writes?.extensions };
      const message: Container = {
        ...EMPTY,
        ...rest,
        labels: { ...(writes?.labels ?? container.labels) },
        runtime: {
          name: runtime,
          ...(runcOptions
            ? {
                options: {
                  typeUrl: RUNC_OPTIONS_TYPE_URL,
                  value: Buffer.from(RuncOptions.encode(runcOptions).finish()),
                },
              }
            : {}),
        },
        spec: anyFromJson(SPEC_TYPE_URL, specJson),
        extensions: extensionsFrom(extensions),
      };
      return recordFromMessage((await rpc.call(Service, create, { container: message }, options)).container ?? message);
    },
    setLabels: (id, changed, options) => updateWrites(id, labelsToSet(changed), options),
    setConfig: (id, { config, labels: changed }, options) => {
      const { labels, extensions } = labelsToSet(changed);
      return updateWrites(id, { labels, extensions: { ...extensions, [CONFIG_EXTENSION]: config } }, options);
    },
    setSpec: (id, specJson, options) =>
      updateFields({ id, spec: anyFromJson(SPEC_TYPE_URL, specJson) }, ['spec'], options),
    delete: async (id, options) => {
      await rpc.call(Service, remove, { id }, options);
    },
  };
}

const EMPTY: Container = { id: '', labels: {}, image: '', snapshotter: '', snapshotKey: '', extensions: {} };

const extensionsFrom = (texts: Readonly<Record<string, string>>): Container['extensions'] =>
  Object.fromEntries(Object.entries(texts).map(([key, json]) => [key, anyFromJson(key, json)]));

function recordFromMessage(message: Container): ContainerRecord {
  const options = message.runtime?.options;
  const extensionJson = (key: string): string | undefined => textFromAny(message.extensions[key]);
  return {
    id: message.id,
    labels: trustedLabels(message.labels, extensionJson),
    rawLabels: message.labels,
    image: message.image,
    runtime: message.runtime?.name ?? '',
    runtimeBinary:
      options?.typeUrl === RUNC_OPTIONS_TYPE_URL
        ? RuncOptions.decode(options.value).binaryName || undefined
        : undefined,
    snapshotter: message.snapshotter,
    snapshotKey: message.snapshotKey,
    createdAtMs: millisFromTimestamp(message.createdAt) ?? 0,
    specJson: () => textFromAny(message.spec),
    extensionJson,
  };
}
