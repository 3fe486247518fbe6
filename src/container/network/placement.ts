import type { ContainerRecord } from '../../containerd/containers.ts';
import { dataDirOf } from '../../lib/dirs.ts';
import { HealthctlError, hasCode } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import { resolveNetwork } from '../../network/known-networks.ts';
import { DEFAULT_NETWORK } from '../../network/network-names.ts';
import { findNetwork } from '../../network/network-record.ts';
import type { GeneratedFiles } from '../../oci/mounts.ts';
import type { NamespaceModes } from '../../oci/namespaces.ts';
import type { SpecOptions } from '../../oci/spec.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { type EndpointConfig, plainEndpoint } from '../../record/endpoint-config.ts';
import { nameOptionsOf } from '../../record/network-config.ts';
import { joinText, networkModeOf } from '../../record/network-mode.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import { isNerdctls } from '../../store/state-dir.ts';
import type { ContainerContext } from '../context.ts';
import { resolveContainer } from '../resolve.ts';
import { endpointProblem } from './endpoint-problem.ts';
import { generatedFilesOf, hostnameFor } from './generated-files.ts';
import { joinPathOf } from './join.ts';

/** The network of a new container, decided before anything is created. */
export interface Placement {
  /** As in `HostConfig.NetworkMode`: a joined container by its id. */
  readonly mode: string;
  /** The container whose network is joined. */
  readonly joined?: ContainerRecord;
  /** Its networks, by name, in the order of their interfaces; none without a network of its own. */
  readonly endpoints: readonly EndpointConfig[];
}

/** The names for nerdctl's label. */
export const networkNamesOf = ({ mode, endpoints }: Pick<Placement, 'mode' | 'endpoints'>): readonly string[] =>
  endpoints.length > 0 ? endpoints.map(({ network }) => network) : [mode];

/**
 * Decides the network of a new container.
 *
 * @throws NOT_FOUND for a missing network or container, or missing plugins; INVALID with Docker's texts for
 *   contradicting options
 */
export async function placeContainer(ctx: ContainerContext, request: CreateRequest): Promise<Placement> {
  const mode = networkModeOf(request.network);
  refuseContradictions(request);
  switch (mode.kind) {
    case 'none':
      return { mode: 'none', endpoints: [] };
    case 'host':
      if (request.networking.publish.length > 0)
        ctx.log.warn('Published ports are discarded when using host network mode');
      return { mode: 'host', endpoints: [] };
    case 'container':
      return joinContainer(ctx, mode.container);
    case 'network':
      (await import('../../network/attach.ts')).checkNetworking({ settings: ctx.network });
      return placeOnNetworks(ctx, request, mode.name);
  }
}

/** The network of the mode comes first; if others are asked for without it, the container is not on it, as in Docker. */
function placeOnNetworks(ctx: ContainerContext, request: CreateRequest, mode: string): Placement {
  const { endpoints, mayLackNetworks = false } = request.networking;
  const nameOf = (nameOrId: string): string => {
    try {
      return resolveNetwork(ctx, nameOrId).name;
    } catch (error) {
      if (!mayLackNetworks || !hasCode(error, 'NOT_FOUND')) throw error;
      return nameOrId;
    }
  };
  const main = nameOf(mode);
  const named = endpoints.map((endpoint) => ({
    ...endpoint,
    network: endpoint.network === 'default' ? main : nameOf(endpoint.network),
  }));
  for (const endpoint of named) {
    const problem = endpointProblem(findNetwork(ctx, endpoint.network), endpoint);
    if (problem !== undefined)
      throw new HealthctlError('INVALID', `invalid config for network ${endpoint.network}: ${problem}`);
  }
  const isMain = ({ network }: EndpointConfig): boolean => network === main;
  const ordered = [...named.filter(isMain), ...named.filter((endpoint) => !isMain(endpoint))];
  return { mode: main, endpoints: ordered.length > 0 ? ordered : [plainEndpoint(main)] };
}

/** If that container itself is in another's network, the latter is joined. */
async function joinContainer(ctx: ContainerContext, nameOrId: string): Promise<Placement> {
  const joined = await resolveContainer(ctx.containerd, nameOrId);
  const its = networkModeOf(storedConfigOf(joined)?.HostConfig.NetworkMode ?? '');
  return its.kind === 'container'
    ? joinContainer(ctx, its.container)
    : { mode: joinText(joined.id), joined, endpoints: [] };
}

/** Docker: runconfig, errors.go and hostconfig_unix.go. */
function refuseContradictions({ network, hostname, networking }: CreateRequest): void {
  const { kind } = networkModeOf(network);
  const { publish, publishAll, expose, dns, extraHosts, endpoints } = networking;
  const refuse = (isWrong: boolean, what: string): void => {
    if (isWrong) throw new HealthctlError('INVALID', what);
  };
  const isUserDefined = (name: string) => networkModeOf(name).kind === 'network' && name !== DEFAULT_NETWORK;
  const named = endpoints.filter(({ aliases }) => aliases.length > 0);
  if (named.some((endpoint) => !isUserDefined(endpoint.network === 'default' ? network : endpoint.network)))
    throw new HealthctlError('INVALID', 'network-scoped aliases are only supported for user-defined networks', {
      hint: 'make one with "healthctl network create", and give it with --network',
    });
  if (kind !== 'container') return;
  refuse(hostname !== undefined, 'conflicting options: hostname and the network mode');
  refuse(dns.length > 0, 'conflicting options: dns and the network mode');
  refuse(extraHosts.length > 0, 'conflicting options: custom host-to-IP mapping and the network mode');
  refuse(publish.length > 0 || publishAll, 'conflicting options: port publishing and the container type network mode');
  refuse(expose.length > 0, 'conflicting options: port exposing and the container type network mode');
}

/** The network part of the runtime spec. */
export function specNetworkOf(
  ctx: ContainerContext,
  container: {
    readonly id: string;
    readonly request: CreateRequest;
    readonly placement: Placement;
    readonly modes: Pick<NamespaceModes, 'uts'>;
  },
): Pick<SpecOptions, 'network' | 'hostname'> & { readonly generated: GeneratedFiles } {
  const { id, request, placement, modes } = container;
  const { namespace } = ctx.containerd;
  const { mode, joined } = placement;
  if (joined) {
    return {
      network: { path: joinPathOf(ctx.dirs, { namespace, id }) },
      hostname: hostnameOf(ctx, joined),
      generated: filesOfJoined(ctx, joined),
    };
  }
  return {
    network: networkModeOf(mode).kind === 'host' ? 'host' : 'own',
    hostname: hostnameFor(request.hostname, modes.uts === 'host' ? 'host' : mode, id),
    generated: generatedFilesOf(dataDirOf(ctx.dirs, { namespace, id }), mode, request.networking),
  };
}

/** The label is trusted on a container of ours or nerdctl's; on one of another tool it may come from its image. */
function hostnameOf({ dirs, containerd }: ContainerContext, { id, labels }: ContainerRecord): string {
  const isBelieved =
    labels[LABELS.owner] !== undefined || isNerdctls(dirs, { namespace: containerd.namespace, id, labels });
  return (isBelieved ? labels[LABELS.hostname] : undefined) ?? id.slice(0, 12);
}

/** Those of another tool's container are unknown: then the image's own are used. */
function filesOfJoined(ctx: ContainerContext, joined: ContainerRecord): GeneratedFiles {
  const config = storedConfigOf(joined);
  if (!config) return {};
  const dir = dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id: joined.id });
  return generatedFilesOf(dir, config.HostConfig.NetworkMode, nameOptionsOf(config));
}
