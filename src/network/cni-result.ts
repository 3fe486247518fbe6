import { isObject, isText, itemsIn } from '../lib/shape.ts';
import type { Endpoint } from './attachment.ts';

/** Parses the result of the last plugin (CNI 0.4.0): the address and its interface. Undefined without an address. */
export function endpointFrom(result: unknown, interfaceName: string): Endpoint | undefined {
  if (!isObject(result)) return undefined;
  const [ip] = itemsIn(result.ips).filter(isObject);
  const { address, gateway } = ip ?? {};
  if (!isText(address)) return undefined;
  const [ipAddress = '', prefix = ''] = address.split('/');
  const inContainer = itemsIn(result.interfaces)
    .filter(isObject)
    .find(({ name, sandbox }) => name === interfaceName && isText(sandbox) && sandbox !== '');
  const mac = inContainer?.mac;
  return {
    address: ipAddress,
    prefix: Number(prefix),
    gateway: isText(gateway) ? gateway : '',
    mac: isText(mac) ? mac : '',
  };
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
