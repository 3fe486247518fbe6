import { type GoValue, nilMap, nilSlice, stringMap, struct, time } from '../../../go/template/template.ts';
import { resolveNetwork } from '../../../network/known-networks.ts';
import type { NetworkContext } from '../../../network/network-context.ts';
import { membersOf, networkDocument } from '../../../network/network-document.ts';
import type { Command } from '../../command.ts';
import { formatOption } from '../../flags/format.ts';
import { NETWORK } from '../../flags/values.ts';
import { renderInspect } from '../../format/inspect.ts';
import { plainValue } from '../../format/plain-value.ts';
import { openNetworks } from '../../network-context.ts';

/** `healthctl network inspect`: Docker's. */
export const inspect: Command = {
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  options: [formatOption],
  args: { min: 1 },
  complete: [NETWORK],
  run: async (world, { options, args }) => {
    const ctx = openNetworks(world);
    const documents: GoValue[] = [];
    const errors: Error[] = [];
    for (const nameOrId of args) {
      try {
        documents.push(describeNetwork(ctx, nameOrId));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        errors.push(error);
      }
    }
    const rendered = renderInspect(documents, options.string('format'));
    return { stdout: rendered.stdout, errors: [...rendered.errors, ...errors] };
  },
};

/** Docker's document of the network with this name or id, for templates. Throws NOT_FOUND. */
export function describeNetwork(ctx: NetworkContext, nameOrId: string): GoValue {
  const network = resolveNetwork(ctx, nameOrId);
  return networkValue(networkDocument(network, membersOf(ctx, network.name)));
}

/** In the form of Docker's Go structs, for templates. */
function networkValue(document: ReturnType<typeof networkDocument>): GoValue {
  const { Id, IPAM, Containers, Options, Labels, ConfigFrom, ...others } = document;
  const ranges = IPAM.Config?.map((range) => struct({ ...range }, { type: 'network.IPAMConfig' }));
  const endpoints = Object.entries(Containers).map(([id, endpoint]): readonly [string, GoValue] => [
    id,
    struct({ ...endpoint }, { type: 'network.EndpointResource' }),
  ]);
  const typed = {
    Created: time(document.Created),
    ConfigFrom: struct({ ...ConfigFrom }, { type: 'network.ConfigReference' }),
    IPAM: struct({ Driver: IPAM.Driver, Options: nilMap(), Config: ranges ?? nilSlice() }, { type: 'network.IPAM' }),
    Containers: Object.fromEntries(endpoints),
    Options: stringMap(Options),
    Labels: stringMap(Labels),
  };
  const fields = Object.keys(document)
    .filter((key) => key !== 'Id')
    .map((key): readonly [string, GoValue] => [key, { ...plainRecord(others), ...typed }[key]]);
  const [name, ...rest] = fields;
  return struct(Object.fromEntries([...(name ? [name] : []), ['ID', Id], ...rest]), {
    type: 'network.Inspect',
    jsonNames: { ID: 'Id' },
  });
}

const plainRecord = (fields: Readonly<Record<string, unknown>>): Record<string, GoValue> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainValue(value)]));
