import type { ContainerRecord } from '../containerd/containers.ts';
import { CONFIG_EXTENSION } from '../lib/trusted-labels.ts';
import { specOf } from './details.ts';
import { logConfigOf } from './log-config.ts';
import { unheldLabels } from './shown-labels.ts';
import { mountPointsOf, storedConfigOf } from './stored-config.ts';

/**
 * The part of a container's record that lists show, as plain data: the monitor stores and sends it for each container.
 * It omits the runtime spec, which with its seccomp profile is most of a record.
 */
export interface CompactRecord {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly runtime: string;
  readonly snapshotter: string;
  readonly snapshotKey: string;
  readonly createdAtMs: number;
  /** JSON text of the stored config, of a container of ours. */
  readonly stored?: string;
  /** JSON text of a runtime spec, of all others. */
  readonly spec?: string;
}

export function compactRecordOf(record: ContainerRecord): CompactRecord {
  const { id, labels, image, runtime, snapshotter, snapshotKey, createdAtMs } = record;
  const common = { id, labels, image, runtime, snapshotter, snapshotKey, createdAtMs };
  const stored = storedConfigOf(record);
  if (stored) {
    const { Config, HostConfig, ImageId, Args, JsonLog, Endpoints } = stored;
    const { Image, Tty, OpenStdin } = Config;
    const { NetworkMode, AutoRemove, Annotations } = HostConfig;
    const log = logConfigOf(HostConfig);
    const isLogPlain = log.driver === 'json-file' && Object.keys(log.options).length === 0;
    const kept = {
      Config: { Image, Tty, OpenStdin, Labels: unheldLabels(Config.Labels) },
      HostConfig: {
        NetworkMode,
        AutoRemove,
        ...(Annotations ? { Annotations } : {}),
        ...(isLogPlain ? {} : { LogConfig: HostConfig.LogConfig }),
      },
      ...{ ImageId, Args, Mounts: mountPointsOf(stored) },
      ...(JsonLog === undefined ? {} : { JsonLog }),
      ...(Endpoints === undefined ? {} : { Endpoints }),
    };
    return { ...common, stored: JSON.stringify(kept) };
  }
  const spec = specOf(record);
  if (!spec) return common;
  const args = spec.process?.args ?? [];
  return {
    ...common,
    spec: JSON.stringify({
      ociVersion: spec.ociVersion,
      process: { args, cwd: '/', user: { uid: 0, gid: 0 } },
      mounts: spec.mounts ?? [],
    }),
  };
}

/** A record that contains only what lists need. */
export function recordFromCompact(compact: CompactRecord): ContainerRecord {
  const { stored, spec, ...common } = compact;
  return {
    ...common,
    rawLabels: compact.labels,
    runtimeBinary: undefined,
    specJson: () => spec,
    extensionJson: (key) => (key === CONFIG_EXTENSION ? stored : undefined),
  };
}
