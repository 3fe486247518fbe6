import {
  type HostInfo,
  hostWarnings,
  readHostInfo,
  readServerInfo,
  type ServerInfo,
} from '../../container/host/system-info.ts';
import { rfc3339FromMillis } from '../../health/result.ts';
import { readKernelFile } from '../../system/kernel-file.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { type ApiVersion, DOCKER_VERSION, isSince } from '../version.ts';

/** `/info`: the host, and what runs on it. */
export function infoRoutes(deps: EngineDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/info',
      handle: async ({ signal, version }) => {
        const server = await readServerInfo(deps.ctx, { signal });
        const document = infoDocument(deps, { server, host: readHostInfo(deps.path) });
        return json({
          ...document,
          ...programsOf(await deps.ctx.containerd.host.version({ signal }), deps, version),
          ...(isSince(version, 49) ? { FirewallBackend: { Driver: 'iptables' } } : {}),
          ...(isSince(version, 50) ? {} : bridgeFilters()),
        });
      },
    },
  ];
}

/** What containers are run by. healthctl knows the commit of containerd alone. */
function programsOf({ revision }: { readonly revision: string }, { settings, ctx }: EngineDeps, version: ApiVersion) {
  const { namespace } = ctx.containerd;
  // Clients of API 1.48 and older say so if the two differ.
  const commit = (id: string) => (isSince(version, 49) ? { ID: id } : { ID: id, Expected: id });
  return {
    ContainerdCommit: commit(revision),
    RuncCommit: commit(''),
    InitCommit: commit(''),
    ...(isSince(version, 46)
      ? { Containerd: { Address: settings.address, Namespaces: { Containers: namespace, Plugins: namespace } } }
      : {}),
    ...(isSince(version, 42) ? {} : { KernelMemory: false }),
  };
}

/** Left out since API 1.50: whether rules of iptables see what goes over a bridge. */
function bridgeFilters() {
  const isOn = (name: string): boolean => readKernelFile(`/proc/sys/net/bridge/${name}`)?.trim() === '1';
  return {
    BridgeNfIptables: isOn('bridge-nf-call-iptables'),
    BridgeNfIp6tables: isOn('bridge-nf-call-ip6tables'),
  };
}

interface Facts {
  readonly server: ServerInfo;
  readonly host: HostInfo;
}

function infoDocument(deps: EngineDeps, facts: Facts) {
  const { server, host } = facts;
  const { Runtimes, InitBinary, CgroupVersion, ...ofHost } = host;
  const warnings = hostWarnings(host);
  return {
    ...serverPart(deps, server),
    ...processPart(deps),
    ...limitsOf(host),
    ...ofHost,
    ...FIXED,
    OomKillDisable: CgroupVersion === '1',
    CgroupVersion,
    Runtimes,
    InitBinary,
    SecurityOptions: ['name=seccomp,profile=builtin', ...(CgroupVersion === '2' ? ['name=cgroupns'] : [])],
    Warnings: warnings.length === 0 ? null : warnings,
  };
}

function serverPart({ settings, ctx }: EngineDeps, server: ServerInfo) {
  return {
    ID: server.ID,
    Containers: server.Containers,
    ContainersRunning: server.ContainersRunning,
    ContainersPaused: server.ContainersPaused,
    ContainersStopped: server.ContainersStopped,
    Images: server.Images,
    Driver: settings.snapshotter,
    // No 'driver-type': ids of images are those of Docker without containerd's image store.
    DriverStatus: [
      ['containerd', server.ServerVersion],
      ['address', settings.address],
      ['namespace', ctx.containerd.namespace],
    ],
    DockerRootDir: settings.dataRoot,
  };
}

function processPart({ host, clock }: EngineDeps) {
  const { isDebug, descriptors, listeners } = host.figures();
  return {
    Debug: isDebug,
    NFd: descriptors,
    NGoroutines: process.getActiveResourcesInfo().length,
    NEventsListener: listeners,
    SystemTime: rfc3339FromMillis(clock.now()),
    HttpProxy: process.env.HTTP_PROXY ?? '',
    HttpsProxy: process.env.HTTPS_PROXY ?? '',
    NoProxy: process.env.NO_PROXY ?? '',
  };
}

function limitsOf({ MemoryLimit, SwapLimit, CpuCfsQuota, PidsLimit }: HostInfo) {
  return {
    MemoryLimit,
    SwapLimit,
    CpuCfsPeriod: CpuCfsQuota,
    CpuCfsQuota,
    CPUShares: CpuCfsQuota,
    CPUSet: CpuCfsQuota,
    PidsLimit,
  };
}

/** The same on each host. */
const FIXED = {
  Plugins: {
    Volume: ['local'],
    Network: ['bridge', 'host', 'null'],
    Authorization: null,
    Log: ['json-file', 'local', 'none'],
  },
  // Published ports need it, and starting a container turns it on.
  IPv4Forwarding: true,
  LoggingDriver: 'json-file',
  CgroupDriver: 'cgroupfs',
  IndexServerAddress: 'https://index.docker.io/v1/',
  // Registries on loopback are asked over plain HTTP, as by Docker.
  RegistryConfig: {
    AllowNondistributableArtifactsCIDRs: null,
    AllowNondistributableArtifactsHostnames: null,
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
    IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors: [], Secure: true, Official: true } },
    Mirrors: [],
  },
  GenericResources: null,
  Labels: [],
  ExperimentalBuild: false,
  ServerVersion: DOCKER_VERSION,
  DefaultRuntime: 'runc',
  Swarm: {
    NodeID: '',
    NodeAddr: '',
    LocalNodeState: 'inactive',
    ControlAvailable: false,
    Error: '',
    RemoteManagers: null,
  },
  // Containers do not need this process to run.
  LiveRestoreEnabled: true,
  Isolation: '',
  KernelMemoryTCP: false,
  CDISpecDirs: [],
};
