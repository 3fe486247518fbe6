import type { ContainerRecord } from '../containerd/containers.ts';
import { familiarRecordName } from '../image/reference.ts';
import { LABELS } from '../lib/labels.ts';
import { isObject, itemsIn, type JsonObject, objectIn, parseJsonText, textsIn } from '../lib/shape.ts';
import { DEFAULT_CAPABILITIES } from '../oci/capabilities.ts';
import type { ContainerProcess, RuntimeSpec } from '../oci/types.ts';
import { limitsOfSpec } from './limits-document.ts';

// Docker's document for a container of another tool: from its runtime spec, which `nerdctl update` also changes; for
// one of nerdctl's also from labels, where only they have the value.

interface Source {
  readonly spec: RuntimeSpec | undefined;
  /** The container's labels, if they can be trusted; else none. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Docker's `Config`, without labels and health check. */
export function foreignConfig(record: ContainerRecord, { spec, labels }: Source): JsonObject {
  const process = spec?.process;
  const stopSignal = record.labels[LABELS.stopSignal] ?? '';
  const stopTimeout = Number(labels[LABELS.stopTimeout] ?? Number.NaN);
  return {
    Hostname: labels[LABELS.hostname] ?? spec?.hostname ?? '',
    Domainname: labels[LABELS.domainname] ?? '',
    User: labels[LABELS.user] ?? userText(process),
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: process?.terminal === true,
    OpenStdin: false,
    StdinOnce: false,
    Env: process?.env ?? [],
    Cmd: process?.args ?? null,
    Image: familiarRecordName(record.image),
    Volumes: null,
    WorkingDir: process?.cwd ?? '',
    Entrypoint: null,
    ...(stopSignal === '' || stopSignal === 'SIGTERM' ? {} : { StopSignal: stopSignal }),
    ...(Number.isInteger(stopTimeout) ? { StopTimeout: stopTimeout } : {}),
  };
}

function userText(process: ContainerProcess | undefined): string {
  const { uid = 0, gid = 0 } = process?.user ?? {};
  return uid === 0 && gid === 0 ? '' : `${uid}:${gid}`;
}

/** Docker's `HostConfig`. */
export function foreignHostConfig(
  record: ContainerRecord,
  { spec, labels, networks }: Source & { readonly networks: readonly string[] },
): JsonObject {
  const { linux, process, annotations = {} } = spec ?? {};
  const has = (type: string): boolean => linux?.namespaces?.some((namespace) => namespace.type === type) ?? false;
  const hostWithout = (type: string): string => (spec && !has(type) ? 'host' : '');
  const isPrivileged = labels[LABELS.privileged] === 'true';
  const users = Object.entries(annotations).filter(([key]) => !key.startsWith('nerdctl/'));
  return {
    IpcMode: hostWithout('ipc') || 'private',
    ...labelledConfig(labels),
    NetworkMode: networks[0] ?? hostWithout('network'),
    PidMode: containerMode(labels[LABELS.pidContainer]) ?? hostWithout('pid'),
    UTSMode: hostWithout('uts'),
    ReadonlyRootfs: spec?.root?.readonly === true,
    Runtime: record.runtime,
    ...limitsOfSpec(linux?.resources),
    ...capabilityChanges(process, isPrivileged),
    Privileged: isPrivileged,
    GroupAdd: orNull(groupsOf(process)),
    OomScoreAdj: process?.oomScoreAdj ?? 0,
    SecurityOpt: process?.noNewPrivileges ? ['no-new-privileges'] : null,
    ShmSize: shmSizeOf(spec),
    Ulimits: (process?.rlimits ?? []).map(({ type, soft, hard }) => ({
      Name: type.replace(/^RLIMIT_/, '').toLowerCase(),
      Soft: Number(soft),
      Hard: Number(hard),
    })),
    ...(linux?.sysctl ? { Sysctls: linux.sysctl } : {}),
    ...(users.length > 0 ? { Annotations: Object.fromEntries(users) } : {}),
    MaskedPaths: linux?.maskedPaths ?? null,
    ReadonlyPaths: linux?.readonlyPaths ?? null,
  };
}

/** The values that only nerdctl's labels have. */
function labelledConfig(labels: Source['labels']): JsonObject {
  const dns = objectFrom(labels[LABELS.dns]);
  const host = objectFrom(labels[LABELS.hostConfig]);
  const log = objectFrom(labels[LABELS.logConfig]);
  const ipc = objectFrom(labels[LABELS.ipc]);
  const extraHosts = textsIn(parseJsonText(labels[LABELS.extraHosts]));
  return {
    AutoRemove: labels[LABELS.autoRemove] === 'true',
    ContainerIDFile: textOf(host.CidFile),
    Devices: itemsIn(host.Devices),
    Dns: textsIn(dns.DNSServers),
    DnsOptions: textsIn(dns.DNSResolvConfOptions),
    DnsSearch: textsIn(dns.DNSSearchDomains),
    ExtraHosts: orNull(extraHosts),
    ...(textOf(ipc.mode) === '' ? {} : { IpcMode: ipcMode(ipc) }),
    LogConfig: { Type: textOf(log.driver), Config: isObject(log.opts) ? log.opts : {} },
  };
}

/** `{"mode":"container","victimContainerId":"<id>"}` and the like. */
function ipcMode({ mode, victimContainerId }: JsonObject): string {
  return mode === 'container' ? `container:${textOf(victimContainerId)}` : textOf(mode);
}

const containerMode = (id: string | undefined): string | undefined =>
  id === undefined || id === '' ? undefined : `container:${id}`;

/** Derived from the present capabilities: the request is not stored. For a privileged container there was none. */
function capabilityChanges(process: ContainerProcess | undefined, isPrivileged: boolean): JsonObject {
  const bounding = process?.capabilities?.bounding;
  if (!bounding || isPrivileged) return { CapAdd: null, CapDrop: null };
  return {
    CapAdd: orNull(bounding.filter((name) => !DEFAULT_CAPABILITIES.includes(name))),
    CapDrop: orNull(DEFAULT_CAPABILITIES.filter((name) => !bounding.includes(name))),
  };
}

/** Without its own group, which nerdctl and containerd list again. */
function groupsOf(process: ContainerProcess | undefined): readonly string[] {
  const { gid = 0, additionalGids = [] } = process?.user ?? {};
  return additionalGids.filter((group) => group !== gid && group !== 0).map(String);
}

/** Bytes of `/dev/shm`: the option `size=65536k` of its mount. 0 if it is not a tmpfs of the container's own. */
function shmSizeOf(spec: RuntimeSpec | undefined): number {
  const shm = spec?.mounts?.find(({ destination, type }) => destination === '/dev/shm' && type === 'tmpfs');
  const [, digits, unit = ''] =
    /^size=(\d+)([kmg]?)$/i.exec(shm?.options?.find((one) => /^size=/.test(one)) ?? '') ?? [];
  return digits === undefined ? 0 : Number(digits) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ');
}

const objectFrom = (text: string | undefined): JsonObject => objectIn(parseJsonText(text));

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length > 0 ? list : null);
