import { trustedImageLabels } from '../image/config.ts';
import type { ResolvedImage } from '../image/find.ts';
import { DEFAULT_SHM_SIZE } from '../oci/spec.ts';
import type { CreateRequest } from './create-request.ts';
import type { StoredConfig } from './stored-config.ts';

/** Docker's `Config` and `HostConfig` of a new container. */
export function storedConfigFrom(
  request: CreateRequest,
  image: ResolvedImage,
  resolved: { readonly hostname: string; readonly env: readonly string[]; readonly args: readonly string[] },
): StoredConfig {
  const { config } = image;
  const ownEntrypoint =
    request.entrypoint === undefined ? undefined : request.entrypoint === '' ? [] : [request.entrypoint];
  const entrypoint = ownEntrypoint ?? config.entrypoint;
  const command = request.command.length > 0 ? request.command : ownEntrypoint ? undefined : config.cmd;
  return {
    ImageId: image.configDigest,
    Args: resolved.args,
    Config: {
      Hostname: resolved.hostname,
      Domainname: '',
      User: request.user ?? config.user,
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      ...(config.exposedPorts.length > 0
        ? { ExposedPorts: Object.fromEntries(config.exposedPorts.map((port) => [port, {}])) }
        : {}),
      Tty: request.tty,
      OpenStdin: request.openStdin,
      StdinOnce: request.stdinOnce,
      Env: resolved.env,
      Cmd: command ?? null,
      Image: request.image,
      Volumes: null,
      WorkingDir: request.workingDir ?? config.workingDir,
      Entrypoint: entrypoint && entrypoint.length > 0 ? entrypoint : null,
      Labels: { ...trustedImageLabels(config.labels), ...request.labels },
      ...((request.stopSignal ?? config.stopSignal) ? { StopSignal: request.stopSignal ?? config.stopSignal } : {}),
      ...(request.stopTimeoutS === undefined ? {} : { StopTimeout: request.stopTimeoutS }),
    },
    HostConfig: hostConfigFrom(request),
  };
}

function hostConfigFrom(request: CreateRequest): StoredConfig['HostConfig'] {
  const { security } = request;
  const securityOpt = [
    ...(security.noNewPrivileges ? ['no-new-privileges'] : []),
    ...(security.seccomp === undefined ? [] : [`seccomp=${security.seccomp}`]),
  ];
  const orNull = <T>(list: readonly T[]) => (list.length > 0 ? list : null);
  return {
    Binds: orNull(
      request.binds.map(({ source, destination, readOnly }) => `${source}:${destination}${readOnly ? ':ro' : ''}`),
    ),
    LogConfig: { Type: request.log.driver, Config: request.log.options },
    NetworkMode: request.network,
    PortBindings: {},
    AutoRemove: request.autoRemove,
    CapAdd: orNull(request.capAdd),
    CapDrop: orNull(request.capDrop),
    GroupAdd: orNull(request.groupAdd),
    Privileged: request.privileged,
    ReadonlyRootfs: request.readOnly,
    SecurityOpt: orNull(securityOpt),
    ...(request.tmpfs.length > 0
      ? { Tmpfs: Object.fromEntries(request.tmpfs.map(({ destination, options }) => [destination, options.join(',')])) }
      : {}),
    ShmSize: request.shmSize || DEFAULT_SHM_SIZE,
    Runtime: request.runtime ?? 'runc',
    Memory: request.memory ?? 0,
    NanoCpus: request.nanoCpus ?? 0,
    PidsLimit: request.pidsLimit ?? null,
    Ulimits: request.ulimits.map(({ type, soft, hard }) => ({
      Name: type.replace(/^RLIMIT_/, '').toLowerCase(),
      Soft: soft,
      Hard: hard,
    })),
    ...(request.init ? { Init: true } : {}),
  };
}
