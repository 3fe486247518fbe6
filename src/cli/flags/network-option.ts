import { HealthctlError } from '../../lib/errors.ts';
import { parseCsvLine } from '../../oci/csv.ts';

/** One `--network`: a name, or Docker's long form `name=NETWORK,alias=NAME`. */
export interface GivenNetwork {
  readonly name: string;
  readonly aliases: readonly string[];
}

/** Options of Docker's long form that are not supported: a container of ours has one address, given by its network. */
const UNSUPPORTED_KEYS: readonly string[] = ['driver-opt', 'ip', 'ip6', 'link-local-ip', 'mac-address', 'gw-priority'];

/**
 * The requested network, undefined if none was.
 *
 * Throws USAGE with Docker's texts (docker/cli: opts/network.go, cli/command/container/opts.go), and ours for several
 * networks.
 */
export function givenNetworkFrom(texts: readonly string[]): GivenNetwork | undefined {
  const networks = texts.filter((text) => text !== '').map(parseNetwork);
  const names = networks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined)
    throw new HealthctlError('USAGE', `network ${JSON.stringify(twice)} is specified multiple times`);
  if (networks.length > 1) {
    throw new HealthctlError('USAGE', `several networks are not supported yet: ${names.join(', ')}`, {
      hint: 'give one --network; containers on one network reach each other by name',
    });
  }
  return networks[0];
}

function parseNetwork(text: string): GivenNetwork {
  if (!/^\w+=/.test(text)) return { name: text, aliases: [] };
  let name = '';
  const aliases: string[] = [];
  for (const field of parseCsvLine(text)) {
    const at = field.indexOf('=');
    if (at < 0) throw new HealthctlError('USAGE', `invalid field ${field}`);
    const key = field.slice(0, at).trim().toLowerCase();
    const value = field.slice(at + 1).trim();
    if (key === 'name') name = value;
    else if (key === 'alias') aliases.push(value);
    else if (UNSUPPORTED_KEYS.includes(key)) {
      throw new HealthctlError('USAGE', `${key} of --network is not supported yet: ${text}`, {
        hint: 'supported are name and alias',
      });
    } else throw new HealthctlError('USAGE', `invalid field key ${key}`);
  }
  if (name === '') throw new HealthctlError('USAGE', 'network name/id is not specified');
  return { name, aliases };
}
