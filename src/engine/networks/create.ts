import { networkContextOf, publisherOf } from '../../container/network/attach.ts';
import { publishNetwork } from '../../events/network-event.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { checkNetworking } from '../../network/attach.ts';
import { isBuiltIn } from '../../network/known-networks.ts';
import { withNetworkLock } from '../../network/network-context.ts';
import { parseNetworkOptions } from '../../network/network-option.ts';
import { createNetwork, type NewNetwork } from '../../network/network-record.ts';
import { holdsAddress, parseAddress, parseSubnet, type Subnet, subnetText } from '../../network/subnet.ts';
import { canonicalAddress6, parseSubnet6, subnet6Text } from '../../network/subnet6.ts';
import { EngineError, withStatuses } from '../errors.ts';
import { type GoStruct, goStructOf } from '../go-struct.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { type ApiVersion, isSince } from '../version.ts';

/** `POST /networks/create`. */
export function networkCreateRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/networks/create',
      handle: async (call) => {
        const body = goStructOf(await call.json({ type: 'network.CreateRequest' }), 'CreateRequest');
        const { asked, driver, warning } = newNetworkFrom(body, call.version);
        const networks = networkContextOf(ctx);
        checkNetworking(networks);
        // Docker forbids a subnet that is in use.
        const network = await withStatuses({ CONFLICT: 403 }, () =>
          withNetworkLock(networks, async (locked) => createNetwork(locked, asked)),
        );
        await publishNetwork(publisherOf(ctx), 'create', { network: { ...network, driver } });
        return json({ Id: network.id, Warning: warning }, 201);
      },
    },
  ];
}

interface Asked {
  readonly asked: NewNetwork;
  readonly driver: string;
  readonly warning: string;
}

/** Docker's checks, in its order (moby: daemon/network.go, createNetwork). */
function newNetworkFrom(body: GoStruct, version: ApiVersion): Asked {
  const [name, driver] = [body.text('Name'), body.text('Driver') || 'bridge'];
  if (isBuiltIn(name) || name === 'default')
    throw new EngineError(403, `operation is not permitted on predefined ${name} network `);
  const addresses = addressesFrom(body.struct('IPAM'), body.flag('EnableIPv6'));
  if (name.trim() === '') throw new HealthctlError('INVALID', 'invalid name: name is empty');
  if (driver === 'host' || driver === 'null')
    throw new EngineError(403, `only one instance of "${driver}" network is allowed`);
  if (driver !== 'bridge') throw new HealthctlError('NOT_FOUND', `plugin "${driver}" not found`);
  refuseUnsupported(body, version);
  const options = body.textMap('Options') ?? {};
  const { unknown, ...parsed } = parseNetworkOptions(Object.entries(options).map(([key, value]) => `${key}=${value}`));
  const asked = {
    ...{ name, internal: body.flag('Internal'), attachable: body.flag('Attachable'), options },
    labels: body.textMap('Labels') ?? {},
    ...parsed,
    ...addresses,
  };
  const warning = unknown.length === 0 ? '' : `without effect: ${unknown.join(', ')}`;
  return { asked, driver, warning };
}

function refuseUnsupported(body: GoStruct, version: ApiVersion): void {
  const refuse = (isAsked: boolean, what: string): void => {
    if (isAsked) throw new EngineError(501, `${what} is not supported by healthctl`);
  };
  // Older clients cannot ask for it.
  refuse(isSince(version, 48) && body.raw('EnableIPv4') === false, 'a network without IPv4');
  refuse(body.flag('ConfigOnly') || (body.struct('ConfigFrom')?.text('Network') ?? '') !== '', 'a config-only network');
  if (body.flag('Ingress')) throw new EngineError(403, 'Ingress network can only be global scope network');
  refuse(body.text('Scope') === 'swarm', 'a network of a swarm');
}

/** Throws INVALID with Docker's texts (moby: api/types/network/ipam.go). */
function addressesFrom(ipam: GoStruct | undefined, enablesIpv6: boolean): Addresses {
  const configs = ipam?.structs('Config') ?? [];
  const driver = ipam?.text('Driver') ?? '';
  if (driver !== '' && driver !== 'default') throw new HealthctlError('NOT_FOUND', `plugin "${driver}" not found`);
  const given = configs.map(configFrom);
  const problems = given.flatMap((config) => problemsOf(config, enablesIpv6));
  if (problems.length > 0) throw new HealthctlError('INVALID', `invalid network config:\n${joined(problems)}`);
  const [first, ...others] = given.filter(({ subnet }) => !subnet.includes(':'));
  const [first6, ...others6] = enablesIpv6 ? given.filter(({ subnet }) => subnet.includes(':')) : [];
  if (others.length + others6.length > 0) throw new EngineError(403, 'bridge driver does not support multiple subnets');
  return { ...(first && withoutEmpty(first)), ...(enablesIpv6 && { ipv6: first6 ? withoutEmpty(first6) : {} }) };
}

type Addresses = Pick<NewNetwork, 'subnet' | 'ipRange' | 'gateway' | 'ipv6'>;
type Config = Readonly<Record<'subnet' | 'ipRange' | 'gateway', string>>;

function configFrom(config: GoStruct): Config {
  if (Object.keys(config.textMap('AuxiliaryAddresses') ?? {}).length > 0)
    throw new EngineError(501, 'auxiliary addresses are not supported by healthctl: give an IPRange without them');
  return { subnet: config.text('Subnet'), ipRange: config.text('IPRange'), gateway: config.text('Gateway') };
}

/** Docker's (moby: daemon/internal/netiputil, api/types/network/ipam.go). */
function problemsOf(config: Config, enablesIpv6: boolean): readonly string[] {
  const wrong = subnetProblem(config.subnet, enablesIpv6);
  const subnet = parseSubnet(config.subnet);
  const others = subnet ? [rangeProblem(config.ipRange, subnet), gatewayProblem(config.gateway, subnet)] : [];
  return [wrong, ...others].filter((problem) => problem !== undefined);
}

function rangeProblem(text: string, subnet: Subnet): string | undefined {
  if (text === '') return undefined;
  const refuse = (reason: string): string => `invalid ip-range ${text}: ${reason}`;
  const [range, parent] = [parseSubnet(text), subnetText(subnet)];
  if (!range) return refuse(parseSubnet6(text) ? 'parent subnet is an IPv4 block' : 'invalid CIDR block notation');
  if (range.prefix < subnet.prefix) return refuse(`CIDR block is bigger than its parent subnet ${parent}`);
  if (subnetText(range) !== text) return refuse(`it should be ${subnetText(range)}`);
  return holdsAddress(subnet, range.base) ? undefined : refuse(`parent subnet ${parent} doesn't contain ip-range`);
}

function gatewayProblem(text: string, subnet: Subnet): string | undefined {
  if (text === '') return undefined;
  const address = parseAddress(text);
  if (address === undefined) return `invalid gateway ${text}: invalid address`;
  if (holdsAddress(subnet, address)) return undefined;
  return `invalid gateway ${text}: parent subnet ${subnetText(subnet)} doesn't contain this address`;
}

function subnetProblem(text: string, enablesIpv6: boolean): string | undefined {
  const [subnet, subnet6] = [parseSubnet(text), parseSubnet6(text)];
  const whole = subnet ? subnetText(subnet) : subnet6 && subnet6Text(subnet6);
  if (whole === undefined) return `invalid subnet ${text}: invalid CIDR block notation`;
  const isWhole = subnet ? whole === text : !enablesIpv6 || isSameSubnet6(text, whole);
  return isWhole ? undefined : `invalid subnet ${text}: it should be ${whole}`;
}

/** Whatever way it is written. */
const isSameSubnet6 = (a: string, b: string): boolean =>
  canonicalAddress6(a.split('/')[0] ?? '') === canonicalAddress6(b.split('/')[0] ?? '');

/** As Go's multierror. */
const joined = (problems: readonly string[]): string =>
  problems.length === 1 ? problems.join('') : problems.map((problem) => `* ${problem}`).join('\n');

const withoutEmpty = ({ subnet, ipRange, gateway }: Config) => ({
  ...(subnet === '' ? {} : { subnet }),
  ...(ipRange === '' ? {} : { ipRange }),
  ...(gateway === '' ? {} : { gateway }),
});
