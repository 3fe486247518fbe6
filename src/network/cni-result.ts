import { isObject, isText, itemsIn, type JsonObject } from '../lib/shape.ts';
import type { Endpoint } from './attachment.ts';

/** Parses the result of the last plugin (CNI 0.4.0): the address and its interface. Undefined without an address. */
export function endpointFrom(result: unknown, interfaceName: string): Endpoint | undefined {
  if (!isObject(result)) return undefined;
  const addresses = itemsIn(result.ips)
    .filter(isObject)
    .flatMap((ip) => addressFrom(ip) ?? []);
  const main = addresses.find(({ address }) => !address.includes(':'));
  const ipv6 = addresses.find(({ address }) => address.includes(':'));
  // A network of another tool may have only IPv6.
  const shown = main ?? ipv6;
  if (!shown) return undefined;
  const inContainer = itemsIn(result.interfaces)
    .filter(isObject)
    .find(({ name, sandbox }) => name === interfaceName && isText(sandbox) && sandbox !== '');
  const mac = inContainer?.mac;
  return { ...shown, mac: isText(mac) ? mac : '', ...(main && ipv6 ? { ipv6 } : {}) };
}

function addressFrom({ address: text, gateway }: JsonObject): Omit<Endpoint, 'mac' | 'ipv6'> | undefined {
  if (!isText(text)) return undefined;
  const [address = '', prefix = ''] = text.split('/');
  return { address, prefix: Number(prefix), gateway: isText(gateway) ? gateway : '' };
}

/**
 * The host's end of the container's interface: neither in the container nor the bridge. Undefined if the result lacks
 * it.
 */
export function hostInterfaceFrom(result: unknown, bridge: string): string | undefined {
  if (!isObject(result)) return undefined;
  const ours = itemsIn(result.interfaces)
    .filter(isObject)
    .find(({ name, sandbox }) => isText(name) && name !== bridge && (sandbox === undefined || sandbox === ''));
  return isText(ours?.name) ? ours.name : undefined;
}
