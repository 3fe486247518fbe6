import type { Endpoint } from './attachment.ts';

/** Reads the result of the last plugin (CNI 0.4.0): the address and the interface that it belongs to. Undefined when it tells no address. */
export function endpointFrom(result: unknown, interfaceName: string): Endpoint | undefined {
  if (!isObject(result)) return undefined;
  const [ip] = listOf(result.ips).filter(isObject);
  const { address, gateway } = ip ?? {};
  if (typeof address !== 'string') return undefined;
  const [ipAddress = '', prefix = ''] = address.split('/');
  const inContainer = listOf(result.interfaces)
    .filter(isObject)
    .find(({ name, sandbox }) => name === interfaceName && typeof sandbox === 'string' && sandbox !== '');
  const mac = inContainer?.mac;
  return {
    address: ipAddress,
    prefix: Number(prefix),
    gateway: typeof gateway === 'string' ? gateway : '',
    mac: typeof mac === 'string' ? mac : '',
  };
}

/** The host's end of the container's interface: what is neither in the container nor the bridge. Undefined when it is not told. */
export function hostInterfaceFrom(result: unknown, bridge: string): string | undefined {
  if (!isObject(result)) return undefined;
  const ours = listOf(result.interfaces)
    .filter(isObject)
    .find(
      ({ name, sandbox }) => typeof name === 'string' && name !== bridge && (sandbox === undefined || sandbox === ''),
    );
  return typeof ours?.name === 'string' ? ours.name : undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
