import {
  type HostInfo,
  hostWarnings,
  readHostInfo,
  readServerInfo,
  type ServerInfo,
} from '../../../container/host/system-info.ts';
import { type GoValue, nilMap, struct } from '../../../go/template/template.ts';
import { bytesSize } from '../../../go/units.ts';
import { version } from '../../../lib/build-info.ts';
import type { Settings, World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { formatOption } from '../../flags/format.ts';
import { section } from '../../format/section.ts';
import { checkTemplate, renderSingle } from '../../format/single.ts';

/** The data of `info`, under Docker's names in `docker info --format` where Docker has them. */
export interface SystemInfo {
  readonly settings: Pick<Settings, 'address' | 'namespace' | 'snapshotter' | 'runRoot' | 'dataRoot'>;
  readonly host: HostInfo;
  /** Undefined when containerd does not answer. */
  readonly server: ServerInfo | undefined;
}

/** `healthctl info`: shows local facts even without an answer of containerd, which is then an additional error. */
export const info: Command = {
  usage: '[OPTIONS]',
  options: [formatOption],
  args: { min: 0, max: 0 },
  run: (world, input) => showInfo(world, input),
};

async function showInfo(world: ContainerWorld & Pick<World, 'env'>, { options }: CommandInput): Promise<CommandResult> {
  const format = options.string('format');
  checkTemplate(format);
  const host = readHostInfo(world.env.PATH ?? '');
  const asked = await askServer(world);
  const server = asked instanceof Error ? undefined : asked;
  const found = { settings: world.settings, host, server };
  return {
    stdout: format ? renderSingle(infoValue(found), format) : infoPage(found),
    warnings: format ? [] : hostWarnings(host),
    errors: asked instanceof Error ? [asked] : [],
  };
}

async function askServer(world: ContainerWorld): Promise<ServerInfo | Error> {
  try {
    return await readServerInfo(await openContainers(world), world);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function infoValue({ settings, host, server }: SystemInfo): GoValue {
  const { Runtimes, ...plain } = host;
  const fields = {
    ...(server ?? {
      ID: '',
      Containers: 0,
      ContainersRunning: 0,
      ContainersPaused: 0,
      ContainersStopped: 0,
      Images: 0,
    }),
    ...plain,
    Runtimes: Object.keys(Runtimes).length === 0 ? nilMap() : Runtimes,
    DefaultRuntime: 'runc',
    Driver: settings.snapshotter,
    LoggingDriver: 'json-file',
    Address: settings.address,
    Namespace: settings.namespace,
    RunRoot: settings.runRoot,
    DataRoot: settings.dataRoot,
    ClientVersion: version,
    Warnings: hostWarnings(host),
  };
  return struct(fields, { type: 'system.dockerInfo' });
}

/** The page for people. */
export function infoPage({ settings, host, server }: SystemInfo): string {
  const client = section('Client:', {
    Version: version,
    'Run root': settings.runRoot,
    'Data root': settings.dataRoot,
  });
  const containerd = server ? serverSection(settings, server) : '';
  const machine = section('Host:', {
    Name: host.Name,
    'Operating System': host.OperatingSystem,
    'Kernel Version': host.KernelVersion,
    Architecture: host.Architecture,
    CPUs: host.NCPU,
    'Total Memory': bytesSize(host.MemTotal),
    'Cgroup Version': host.CgroupVersion,
    Runtimes: Object.keys(host.Runtimes),
    'Init Binary': host.InitBinary,
  });
  return [client, containerd, machine].filter((part) => part !== '').join('\n');
}

function serverSection(settings: SystemInfo['settings'], server: ServerInfo): string {
  return section('Server: containerd', {
    Version: server.ServerVersion,
    Address: settings.address,
    ID: server.ID,
    Namespace: settings.namespace,
    Namespaces: server.Namespaces,
    Snapshotter: settings.snapshotter,
    Snapshotters: server.Snapshotters,
    Containers: server.Containers,
    ' Running': server.ContainersRunning,
    ' Paused': server.ContainersPaused,
    ' Stopped': server.ContainersStopped,
    Images: server.Images,
  });
}
