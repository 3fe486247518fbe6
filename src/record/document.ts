import type { GivenHealthConfig } from '../health/config.ts';
import { rfc3339FromMillis } from '../health/result.ts';
import { type HealthDocument, healthDocumentOf } from '../health/state-json.ts';
import { LABELS } from '../lib/labels.ts';
import { type Details, specOf } from './details.ts';
import { presentLimits } from './limits-document.ts';
import type { MountPoint } from './mount-point.ts';
import type { ShownAttachment } from './nerdctl-network.ts';
import { networkSettingsOf } from './network-settings.ts';
import { isRestartedByContainerd, restartPolicyOf } from './restart-label.ts';
import { NEVER_RESTARTED, type RestartRecord } from './restart-record.ts';
import type { ShownHealth } from './shown-health.ts';
import { type ContainerView, unknownStateError } from './view.ts';

/** The directories of a container of ours; empty strings for a foreign one. */
export interface DocumentPaths {
  readonly LogPath: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
}

export interface DocumentFacts {
  readonly view: ContainerView;
  readonly health: ShownHealth;
  readonly details: Details;
  readonly paths: DocumentPaths;
  /** For a container that is attached to its network. */
  readonly attachment?: ShownAttachment;
  /** Absent: never restarted. */
  readonly restarts?: RestartRecord;
  /** When the run before the present one ended, if known. */
  readonly lastEndAtMs?: number | undefined;
  /** In bytes, if requested. */
  readonly sizes?: { readonly SizeRw: number; readonly SizeRootFs: number };
}

type Json = Readonly<Record<string, unknown>>;

/** Docker's HealthConfig: durations in nanoseconds. */
export interface HealthcheckDocument {
  readonly Test?: readonly string[];
  readonly Interval: number;
  readonly Timeout: number;
  readonly StartPeriod: number;
  readonly StartInterval: number;
  readonly Retries: number;
  /** Ours, if given. */
  readonly OnFailure?: string;
  readonly MaxRestarts?: number;
  readonly Exec?: string;
  readonly Reap?: true;
}

export interface StateDocument {
  readonly Status: string;
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly Dead: boolean;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
  /** Ours: the reason for its last restart without a user. */
  readonly RestartReason?: string;
  /** Ours: when its restart policy starts it again. */
  readonly NextRestart?: string;
  readonly Health?: HealthDocument;
}

/** Docker's document of a container (moby: api/types/container InspectResponse), with keys in Docker's order. */
export interface ContainerDocument extends DocumentPaths {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: StateDocument;
  readonly Image: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly Driver: string;
  readonly Platform: string;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly AppArmorProfile: string;
  readonly ExecIDs: null;
  readonly HostConfig: Json;
  readonly GraphDriver: { readonly Data: null; readonly Name: string };
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Mounts: readonly MountPoint[];
  readonly Config: Json & { readonly Healthcheck?: HealthcheckDocument };
  readonly NetworkSettings: Json;
}

/** Go's zero time, which Docker shows for events that have not happened. */
const NEVER = '0001-01-01T00:00:00Z';

/** A container's document in Docker's form. */
export function documentOf({
  view,
  health,
  details,
  paths,
  attachment,
  restarts = NEVER_RESTARTED,
  lastEndAtMs,
  sizes,
}: DocumentFacts): ContainerDocument {
  const { record } = view;
  const [Path = '', ...Args] = details.args;
  const spec = specOf(record);
  return {
    Id: record.id,
    Created: timeOf(record.createdAtMs),
    Path,
    Args,
    State: {
      ...stateOf(view, { health, lastEndAtMs }),
      ...(restarts.reason === '' ? {} : { RestartReason: restarts.reason }),
      ...(view.nextRestartAtMs === undefined ? {} : { NextRestart: rfc3339FromMillis(view.nextRestartAtMs) }),
    },
    Image: details.imageId,
    ResolvConfPath: paths.ResolvConfPath,
    HostnamePath: paths.HostnamePath,
    HostsPath: paths.HostsPath,
    LogPath: paths.LogPath,
    Name: `/${view.name}`,
    RestartCount: restarts.count,
    Driver: record.snapshotter,
    Platform: record.labels[LABELS.platform]?.split('/')[0] ?? 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: spec?.process?.apparmorProfile ?? '',
    ExecIDs: null,
    HostConfig: {
      ...HOST_CONFIG_ZEROS,
      ...details.hostConfig,
      ...(spec && details.isOurs ? presentLimits(details.hostConfig, spec.linux?.resources) : {}),
      RestartPolicy: restartPolicyDocument(view),
    },
    GraphDriver: { Data: null, Name: record.snapshotter },
    ...sizes,
    Mounts: details.mounts,
    Config: configOf(details.config, health.config),
    NetworkSettings: networkSettingsOf(view, { details, attachment }),
  };
}

/**
 * The label decides, because `update` changes it. A container under containerd's restart plugin has its policy in a
 * label of the plugin.
 */
function restartPolicyDocument({ record: { labels } }: ContainerView): Json {
  const pluginPolicy = labels[LABELS.restartPluginPolicy];
  const { name, maximumRetryCount } = restartPolicyOf(
    pluginPolicy !== undefined && isRestartedByContainerd(labels) ? { [LABELS.restart]: pluginPolicy } : labels,
  );
  return { Name: name, MaximumRetryCount: maximumRetryCount };
}

function timeOf(ms: number | undefined): string {
  return ms === undefined || ms <= 0 ? NEVER : rfc3339FromMillis(ms);
}

function stateOf(
  view: ContainerView,
  { health: { state, log }, lastEndAtMs }: Pick<DocumentFacts, 'health' | 'lastEndAtMs'>,
): StateDocument {
  const isUp = view.state === 'running' || view.state === 'paused';
  const isRestarting = view.state === 'restarting';
  return {
    Status: view.state,
    // As in Docker: for its users, it runs.
    Running: isUp || isRestarting,
    Paused: view.state === 'paused',
    Restarting: isRestarting,
    OOMKilled: view.isOutOfMemory === true,
    Dead: false,
    Pid: isUp ? (view.task?.pid ?? 0) : 0,
    ExitCode: view.exit?.code ?? view.startFailure?.code ?? 0,
    Error: view.isStateUnknown ? unknownStateError(view.name).message : (view.startFailure?.error ?? ''),
    StartedAt: timeOf(view.startedAtMs),
    FinishedAt: timeOf(view.exit ? view.exit.atMs : lastEndAtMs),
    ...(state ? { Health: healthDocumentOf({ ...state, log }) } : {}),
  };
}

/** The check follows Cmd, as in Docker. */
function configOf(config: Json, check: GivenHealthConfig | undefined): ContainerDocument['Config'] {
  if (!check) return config;
  const entries = Object.entries(config).filter(([key]) => key !== 'Healthcheck');
  const at = entries.findIndex(([key]) => key === 'Cmd') + 1;
  return Object.fromEntries(entries.toSpliced(at, 0, ['Healthcheck', healthcheckOf(check)]));
}

function healthcheckOf(check: GivenHealthConfig): HealthcheckDocument {
  return {
    ...(check.test ? { Test: check.test } : {}),
    Interval: check.intervalNs ?? 0,
    Timeout: check.timeoutNs ?? 0,
    StartPeriod: check.startPeriodNs ?? 0,
    StartInterval: check.startIntervalNs ?? 0,
    Retries: check.retries ?? 0,
    ...(check.onFailure && check.onFailure !== 'none' ? { OnFailure: check.onFailure } : {}),
    ...(check.maxRestarts ? { MaxRestarts: check.maxRestarts } : {}),
    ...(check.exec ? { Exec: check.exec } : {}),
    ...(check.reap ? { Reap: true as const } : {}),
  };
}

/** Docker 28.5's output for options that were not given, except those that it computes from the host. */
const HOST_CONFIG_ZEROS: Json = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: '', Config: {} },
  NetworkMode: '',
  PortBindings: {},
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 0,
  Runtime: '',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: [],
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: [],
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
};
