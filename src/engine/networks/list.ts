import { networkContextOf } from '../../container/network/attach.ts';
import { quote } from '../../go/quote.ts';
import { messageOf } from '../../lib/errors.ts';
import { knownNetworks, matchesNetwork, parseNetworkFilters, resolveNetwork } from '../../network/known-networks.ts';
import { type NetworkContext, withNetworkLock } from '../../network/network-context.ts';
import { membersOf, networkDocument, usedNetworks } from '../../network/network-document.ts';
import { DEFAULT_NETWORK } from '../../network/network-names.ts';
import { findNetwork, missingNetwork, needNetwork } from '../../network/network-record.ts';
import { EngineError } from '../errors.ts';
import { filterTextsOf, parseFilters } from '../filters.ts';
import type { EngineDeps } from '../host.ts';
import { type Call, json, type Route } from '../route.ts';
import { isSince } from '../version.ts';

/** The documents of networks. */
export function networkListRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  const list = async (call: Call) => json(await listNetworks(networkContextOf(ctx), call));
  return [
    { method: 'GET', path: '/networks', handle: list },
    { method: 'GET', path: '/networks/', handle: list },
    {
      method: 'GET',
      path: '/networks/{id}',
      handle: async (call) => json(await inspectNetwork(networkContextOf(ctx), call)),
    },
  ];
}

async function listNetworks(ctx: NetworkContext, { query, version }: Call) {
  const filters = filtersFrom(filterTextsOf(parseFilters(query.text('filters'))));
  await ensureDefault(ctx);
  const used = filters.has('dangling') ? usedNetworks(ctx) : new Set<string>();
  const found = knownNetworks(ctx).filter((network) => matchesNetwork(filters, network, used.has(network.name)));
  // Only old clients get the containers.
  return found.map((network) => networkDocument(network, isSince(version, 28) ? [] : membersOf(ctx, network.name)));
}

/** Docker's status for a type that is none is 500. */
function filtersFrom(texts: readonly string[]) {
  try {
    return parseNetworkFilters(texts);
  } catch (error) {
    if (!messageOf(error).startsWith("invalid filter: 'type'")) throw error;
    throw new EngineError(500, messageOf(error), { cause: error });
  }
}

async function inspectNetwork(ctx: NetworkContext, { query, part }: Call) {
  const verbose = query.text('verbose');
  if (verbose !== '' && !/^(?:1|t|true|0|f|false)$/i.test(verbose))
    throw new EngineError(
      400,
      `invalid value for verbose: ${verbose}: strconv.ParseBool: parsing ${quote(verbose)}: invalid syntax`,
    );
  await ensureDefault(ctx);
  const network = resolveNetwork(ctx, part('id'));
  if (!['', 'local'].includes(query.text('scope'))) throw missingNetwork(part('id'));
  return networkDocument(network, membersOf(ctx, network.name));
}

/** Clients look up the gateway of `bridge` before any container needed it. */
async function ensureDefault(ctx: NetworkContext): Promise<void> {
  if (!findNetwork(ctx, DEFAULT_NETWORK))
    await withNetworkLock(ctx, async (locked) => void needNetwork(locked, DEFAULT_NETWORK));
}
