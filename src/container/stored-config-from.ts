import { trustedImageLabels } from '../image/config.ts';
import type { ResolvedImage } from '../image/find.ts';
import { bindingsFrom, byPort, keyOf } from '../network/port-document.ts';
import { canonicalCapability } from '../oci/capabilities.ts';
import { cleanPath } from '../oci/paths.ts';
import { shownEnv } from '../oci/process.ts';
import { DEFAULT_SHM_SIZE } from '../oci/spec.ts';
import type { CreateRequest } from '../record/create-request.ts';
import { type EndpointConfig, endpointRecordOf } from '../record/endpoint-config.ts';
import { logAttributesFrom } from '../record/log-attributes.ts';
import type { StoredConfig } from '../record/stored-config.ts';
import { bindTextsOf, mountOptionsOf, mountPointsFrom, volumePathsOf } from './volumes/mount-documents.ts';
import type { UsedVolume } from './volumes/request.ts';

/** Docker's `Config` and `HostConfig` of a new container. */
export function storedConfigFrom(
  request: CreateRequest,
  image: ResolvedImage,
  resolved: {
    /** See Placement. */
    readonly network: string;
    readonly endpoints: readonly EndpointConfig[];
    readonly hostname: string;
    readonly env: readonly string[];
    readonly args: readonly string[];
    readonly volumes: readonly UsedVolume[];
  },
): StoredConfig {
  const { config } = image;
  const own = request.entrypoint;
  const entrypoint = (own ?? config.entrypoint)?.filter((word, _index, { length }) => length > 1 || word !== '');
  const command = request.command.length > 0 ? request.command : own && own.length > 0 ? undefined : config.cmd;
  const labels = { ...trustedImageLabels(config.labels), ...request.labels };
  const exposed = exposedPorts(request, config.exposedPorts);
  return {
    ImageId: image.configDigest,
    Args: resolved.args,
    Endpoints: resolved.endpoints.map(endpointRecordOf),
    Config: {
      Hostname: resolved.hostname,
      Domainname: request.domainname ?? '',
      User: request.user ?? config.user,
      AttachStdin: request.attach.stdin,
      AttachStdout: request.attach.stdout,
      AttachStderr: request.attach.stderr,
      ...(exposed.length > 0 ? { ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])) } : {}),
      Tty: request.tty,
      OpenStdin: request.openStdin,
      StdinOnce: request.stdinOnce,
      Env: shownEnv(request.env, config.env),
      Cmd: command ?? null,
      ...(request.shownHealthcheck ? { Healthcheck: request.shownHealthcheck } : {}),
      Image: request.image,
      Volumes: volumePathsOf(request, config.volumes),
      WorkingDir: request.workingDir === undefined ? config.workingDir : cleanPath(request.workingDir),
      Entrypoint: entrypoint && entrypoint.length > 0 ? entrypoint : null,
      Labels: labels,
      ...((request.stopSignal ?? config.stopSignal) ? { StopSignal: request.stopSignal ?? config.stopSignal } : {}),
      ...(request.stopTimeoutS === undefined ? {} : { StopTimeout: request.stopTimeoutS }),
    },
    ...(request.log.isJson ? { JsonLog: logAttributesFrom(request.log.options, { labels, env: resolved.env }) } : {}),
    HostConfig: { ...hostConfigFrom(request, resolved.network), ...request.shownHostConfig },
    Mounts: mountPointsFrom(request, resolved.volumes),
    ...volumePartsFrom(resolved.volumes),
    AnonymousVolumes: resolved.volumes.filter(({ isAnonymous }) => isAnonymous).map(({ volume }) => volume.name),
  };
}

function volumePartsFrom(volumes: readonly UsedVolume[]): Pick<StoredConfig, 'VolumeParts'> {
  const parts = volumes.flatMap(({ request: { destination, part } }) =>
    part === undefined ? [] : [[destination, part] as const],
  );
  return parts.length > 0 ? { VolumeParts: Object.fromEntries(parts) } : {};
}

/** Ports of the image, of `--expose`, and published ones, each once. */
function exposedPorts({ networking }: CreateRequest, ofImage: readonly string[]): readonly string[] {
  const image = ofImage.map((port) => (port.includes('/') ? port : `${port}/tcp`));
  return [...new Set([...image, ...networking.expose, ...networking.publish.map(keyOf)])].sort(byPort);
}

function hostConfigFrom(request: CreateRequest, network: string): StoredConfig['HostConfig'] {
  const { security, networking } = request;
  const securityOpt = [
    ...(security.noNewPrivileges ? ['no-new-privileges'] : []),
    ...(security.writableCgroups === undefined ? [] : [`writable-cgroups=${security.writableCgroups}`]),
    ...(security.seccomp === undefined ? [] : [`seccomp=${security.seccomp}`]),
    ...(security.apparmor === undefined ? [] : [`apparmor=${security.apparmor}`]),
  ];
  const tmpfs = request.tmpfs.filter(({ mount }) => !mount);
  const orNull = <T>(list: readonly T[]) => (list.length > 0 ? list : null);
  return {
    Binds: orNull(bindTextsOf(request)),
    ...mountOptionsOf(request),
    LogConfig: { Type: request.log.driver, Config: request.log.options },
    NetworkMode: network,
    PortBindings: bindingsFrom(networking.publish),
    AutoRemove: request.autoRemove,
    CapAdd: orNull(request.capAdd.map(canonicalCapability)),
    CapDrop: orNull(request.capDrop.map(canonicalCapability)),
    Dns: networking.dns,
    DnsOptions: networking.dnsOptions,
    DnsSearch: networking.dnsSearch,
    ExtraHosts: orNull(networking.extraHosts),
    GroupAdd: orNull(request.groupAdd),
    Privileged: request.privileged,
    PublishAllPorts: networking.publishAll,
    ReadonlyRootfs: request.readOnly,
    SecurityOpt: orNull(securityOpt),
    ...(tmpfs.length > 0
      ? { Tmpfs: Object.fromEntries(tmpfs.map(({ destination, options }) => [destination, options.join(',')])) }
      : {}),
    ShmSize: request.shmSize || DEFAULT_SHM_SIZE,
    Runtime: request.runtime ?? 'runc',
    ...limitsDocument(request),
    ...namespacesDocument(request),
    Ulimits: request.ulimits.map(({ type, soft, hard }) => ({
      Name: type.replace(/^RLIMIT_/, '').toLowerCase(),
      Soft: soft,
      Hard: hard,
    })),
    ...(request.init ? { Init: true } : {}),
  };
}

/** The limits under Docker's names. */
function limitsDocument({ limits, oomScoreAdj }: CreateRequest): Readonly<Record<string, unknown>> {
  return {
    Memory: limits.memory ?? 0,
    MemorySwap: limits.memorySwap ?? 0,
    MemoryReservation: limits.memoryReservation ?? 0,
    ...(limits.oomKillDisable ? { OomKillDisable: true } : {}),
    OomScoreAdj: oomScoreAdj,
    NanoCpus: limits.nanoCpus ?? 0,
    CpuShares: limits.cpuShares ?? 0,
    CpuPeriod: limits.cpuPeriod ?? 0,
    CpuQuota: limits.cpuQuota ?? 0,
    CpuRealtimePeriod: limits.cpuRealtimePeriod ?? 0,
    CpuRealtimeRuntime: limits.cpuRealtimeRuntime ?? 0,
    CpusetCpus: limits.cpusetCpus ?? '',
    CpusetMems: limits.cpusetMems ?? '',
    PidsLimit: limits.pidsLimit ?? null,
  };
}

/** Namespaces shared with the host or with other containers. Docker omits empty maps. */
function namespacesDocument(request: CreateRequest): Readonly<Record<string, unknown>> {
  const { namespaces, devices, deviceRules, sysctls, annotations } = request;
  return {
    PidMode: namespaces.pid,
    IpcMode: namespaces.ipc,
    UTSMode: namespaces.uts,
    ...(namespaces.cgroup === '' ? {} : { CgroupnsMode: namespaces.cgroup }),
    Devices: devices.map(({ host, container, access }) => ({
      PathOnHost: host,
      PathInContainer: container,
      CgroupPermissions: access,
    })),
    ...(deviceRules.length > 0 ? { DeviceCgroupRules: deviceRules } : {}),
    ...(Object.keys(sysctls).length > 0 ? { Sysctls: sysctls } : {}),
    ...(Object.keys(annotations).length > 0 ? { Annotations: annotations } : {}),
  };
}
