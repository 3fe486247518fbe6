import { isNumber, isText, itemsIn, objectIn, objectOf, optional } from '../lib/shape.ts';
import { type PortRequest, type PublishedPort, tryPortKey } from './port-spec.ts';

/** Docker's `PortBindings`: for each container port, its addresses on the host. */
export type PortBindings = Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;

export function bindingsFrom(requests: readonly PortRequest[]): PortBindings {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostIp, firstHostPort, lastHostPort } of requests) {
    const key = `${containerPort}/${protocol}`;
    const range = firstHostPort === lastHostPort ? `${firstHostPort}` : `${firstHostPort}-${lastHostPort}`;
    const binding = { HostIp: hostIp, HostPort: lastHostPort === 0 ? '' : range };
    bindings[key] = [...(bindings[key] ?? []), binding];
  }
  return bindings;
}

/**
 * The ports to publish, from a container's stored config; invalid entries, which healthctl never writes, are skipped.
 */
export function requestsFrom(bindings: unknown, published: readonly string[]): readonly PortRequest[] {
  const bound = Object.entries(objectIn(bindings)).flatMap(([key, list]) => {
    const port = tryPortKey(key);
    return port ? itemsIn(list).flatMap((item) => requestFrom(port, item) ?? []) : [];
  });
  const given = new Set(bound.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  const any = published
    .filter((key) => !given.has(key))
    .flatMap((key) => tryPortKey(key) ?? [])
    .map((port) => ({ ...port, hostIp: '', firstHostPort: 0, lastHostPort: 0 }));
  return [...bound, ...any];
}

/** Clients leave out what is empty. */
const isBinding = objectOf({ HostIp: optional(isText), HostPort: optional(isText) });

function requestFrom(port: Pick<PortRequest, 'containerPort' | 'protocol'>, item: unknown): PortRequest | undefined {
  if (!isBinding(item)) return undefined;
  const [, first = '0', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(item.HostPort ?? '') ?? [];
  // Ports are published on IPv4: the unspecified address of IPv6 means all.
  const hostIp = item.HostIp === undefined || item.HostIp === '::' ? '' : item.HostIp;
  return { ...port, hostIp, firstHostPort: Number(first), lastHostPort: Number(last) };
}

/** Docker's `NetworkSettings.Ports`: exposed ports that are not published are null. */
export function portsDocument(
  exposed: readonly string[],
  ports: readonly PublishedPort[],
): Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>> {
  const keys = [...new Set([...exposed, ...ports.map(keyOf)])].sort(byPort);
  return Object.fromEntries(
    keys.map((key) => {
      const bound = ports.filter((port) => keyOf(port) === key);
      const list = bound.map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: `${hostPort}` }));
      return [key, list.length > 0 ? list : null];
    }),
  );
}

/** `80/tcp`. */
export const keyOf = ({ containerPort, protocol }: Pick<PublishedPort, 'containerPort' | 'protocol'>): string =>
  `${containerPort}/${protocol}`;

/** By number, then protocol. */
export function byPort(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || a.localeCompare(b);
}

/**
 * Ports in the form of `ps` (docker/cli, formatter/container.go): `0.0.0.0:8080->80/tcp, 443/tcp`, with neighbours
 * joined, `0.0.0.0:8000-8002->8000-8002/tcp`.
 */
export function portsText(exposed: readonly string[], ports: readonly PublishedPort[]): string {
  const published = new Set(ports.map(keyOf));
  const alone = exposed.filter((key) => !published.has(key)).flatMap((key) => tryPortKey(key) ?? []);
  const all: readonly ShownPort[] = [
    ...ports.map((port) => ({ ...port, group: `${port.hostIp}/${port.protocol}` })),
    ...alone.map((port) => ({ ...port, hostIp: '', hostPort: 0, group: `/${port.protocol}` })),
  ];
  const sorted = all.toSorted(
    (a, b) => a.containerPort - b.containerPort || a.group.localeCompare(b.group) || a.hostPort - b.hostPort,
  );
  const runs: ShownPort[][] = [];
  for (const port of sorted) {
    const run = runs.find((candidate) => continues(candidate.at(-1), port));
    if (run) run.push(port);
    else runs.push([port]);
  }
  return runs.map(runText).join(', ');
}

type ShownPort = PublishedPort & { readonly group: string };

function continues(last: ShownPort | undefined, next: ShownPort): boolean {
  if (!last || last.group !== next.group || next.containerPort !== last.containerPort + 1) return false;
  return last.hostPort === 0 ? next.hostPort === 0 : next.hostPort === last.hostPort + 1;
}

function runText(run: readonly ShownPort[]): string {
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) return '';
  const span = (from: number, to: number): string => (from === to ? `${from}` : `${from}-${to}`);
  const inside = `${span(first.containerPort, last.containerPort)}/${first.protocol}`;
  return first.hostPort === 0 ? inside : `${first.hostIp}:${span(first.hostPort, last.hostPort)}->${inside}`;
}

/** Parses nerdctl's list of ports; invalid entries are skipped. */
export function portsOfList(value: unknown): readonly PublishedPort[] {
  return itemsIn(value).flatMap((item): readonly PublishedPort[] => {
    const { HostPort: hostPort, ContainerPort: containerPort, Protocol: protocol, HostIP: hostIp } = objectIn(item);
    const port = tryPortKey(`${containerPort}/${protocol}`);
    return port && isNumber(hostPort)
      ? [{ ...port, hostPort, hostIp: isText(hostIp) && hostIp !== '' ? hostIp : '0.0.0.0' }]
      : [];
  });
}

/** The list that nerdctl reads. */
export function portMappingsFrom(ports: readonly PublishedPort[]): readonly Readonly<Record<string, unknown>>[] {
  return ports.map(({ hostPort, containerPort, protocol, hostIp }) => ({
    ...{ HostPort: hostPort, ContainerPort: containerPort, Protocol: protocol, HostIP: hostIp },
  }));
}
