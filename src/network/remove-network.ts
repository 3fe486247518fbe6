import { HealthctlError } from '../lib/errors.ts';
import { matchesPrune, type PruneFilter } from '../lib/prune-filter.ts';
import { sweepLocked } from './attach.ts';
import { membershipOf } from './attachment.ts';
import { deleteLink, hasLink } from './bridge-link.ts';
import { endpointIdOf } from './endpoint-id.ts';
import { dropRules, ensureRules, readPresentRules } from './firewall.ts';
import { isBuiltIn, resolveNetwork } from './known-networks.ts';
import { type LockedNetworks, type NetworkContext, withNetworkLock } from './network-context.ts';
import { DEFAULT_NETWORK } from './network-names.ts';
import { findNetwork, forgetNetwork, listNetworks, missingNetwork, type NetworkRecord } from './network-record.ts';

/**
 * Removes a network with its bridge and its rules.
 *
 * @throws NOT_FOUND; CONFLICT for a built-in one, and for one in use, with Docker's texts
 */
export async function removeNetwork(networks: NetworkContext, nameOrId: string): Promise<NetworkRecord> {
  const { name } = resolveNetwork(networks, nameOrId);
  if (isBuiltIn(name)) throw new HealthctlError('CONFLICT', `${name} is a pre-defined network and cannot be removed`);
  return withNetworkLock(networks, async (ctx) => {
    const network = findNetwork(ctx, name);
    if (!network) throw missingNetwork(nameOrId);
    const inUse = (await sweepLocked(ctx)).filter((attachment) => membershipOf(attachment, name) !== undefined);
    if (inUse.length > 0) {
      const endpoints = inUse.map(
        (one) => `name:${JSON.stringify(one.name)} id:"${endpointIdOf(one, network.id).slice(0, 12)}"`,
      );
      throw new HealthctlError(
        'CONFLICT',
        `error while removing network: network ${name} has active endpoints (${endpoints.join(', ')})`,
        {
          hint: 'stop these containers first',
        },
      );
    }
    await takeDown(ctx, network);
    return network;
  });
}

/** Removes users' networks without attached containers. @returns them */
export async function pruneNetworks(networks: NetworkContext, filter: PruneFilter): Promise<readonly NetworkRecord[]> {
  const isWanted = ({ name, created, labels }: NetworkRecord): boolean =>
    name !== DEFAULT_NETWORK && matchesPrune(filter, { createdMs: Date.parse(created), labels });
  if (!listNetworks(networks).some(isWanted)) return [];
  return withNetworkLock(networks, async (ctx) => {
    const used = new Set(
      (await sweepLocked(ctx)).flatMap(({ memberships }) => memberships.map(({ network }) => network)),
    );
    const unused = listNetworks(ctx).filter((network) => isWanted(network) && !used.has(network.name));
    for (const network of unused) await takeDown(ctx, network);
    return unused;
  });
}

/** The record is removed last, so that the call can be repeated. */
async function takeDown(ctx: LockedNetworks, network: NetworkRecord): Promise<void> {
  if (hasLink(network.bridge)) await deleteLink(ctx, network.bridge);
  const rest = listNetworks(ctx).filter(({ name }) => name !== network.name);
  await (rest.length > 0 ? ensureRules(ctx, rest) : dropRules(ctx));
  forgetNetwork(ctx, network);
}

/** Our bridges and firewall rules on this host, which a reboot would remove. */
export interface PresentNetworks {
  readonly bridges: readonly string[];
  readonly chains: readonly string[];
}

export async function findPresentNetworks(networks: NetworkContext): Promise<PresentNetworks> {
  const { bridges, chains } = await readPresentRules(networks);
  const known = new Set([...listNetworks(networks).map(({ bridge }) => bridge), ...bridges]);
  return { bridges: [...known].filter(hasLink), chains };
}

/** Removes them. The records of networks stay: the next attached container creates bridge and rules again. */
export async function dismantleNetworks(networks: NetworkContext): Promise<void> {
  await withNetworkLock(networks, async (ctx) => {
    await sweepLocked(ctx);
    const { bridges, chains } = await findPresentNetworks(ctx);
    for (const bridge of bridges) await deleteLink(ctx, bridge);
    if (chains.length > 0) await dropRules(ctx);
  });
}
