import { systemClock } from '../lib/clock.ts';
import { type CallFailures, countFailures } from './call-failures.ts';
import { type Containers, openContainers } from './containers.ts';
import { type Content, openContent } from './content.ts';
import { type Events, openEvents } from './events.ts';
import { type Host, openHost } from './host.ts';
import { openTransport } from './http2-transport.ts';
import { type Images, openImages } from './images.ts';
import { type Leases, openLeases } from './leases.ts';
import { openRpc } from './rpc.ts';
import { openSnapshots, type Snapshots } from './snapshots.ts';
import { openTasks, type Tasks } from './tasks.ts';
import type { Transport } from './transport.ts';

/**
 * A client of containerd in one of its namespaces: a thin typed wrapper per service. Every call may throw
 * HealthctlError (see errors.ts).
 */
export interface Containerd {
  /** Path of the socket. */
  readonly address: string;
  readonly namespace: string;
  readonly containers: Containers;
  readonly tasks: Tasks;
  readonly images: Images;
  readonly content: Content;
  readonly snapshots: Snapshots;
  readonly leases: Leases;
  /** Events of all namespaces; published ones belong to this one. */
  readonly events: Events;
  /** Information independent of namespaces: version, server id, plugins, the list of namespaces. */
  readonly host: Host;
  /** Failed calls of this connection. */
  readonly failures: CallFailures;
  /** The same client; a lease holds everything that it creates until the lease is deleted. */
  withLease(leaseId: string): Containerd;
  /** The same connection in another namespace. */
  inNamespace(namespace: string): Containerd;
  close(): void;
}

/**
 * Connects to containerd. Nothing is sent before the first call.
 *
 * @param options.address path of the socket, e.g. `/run/containerd/containerd.sock`
 * @param options.namespace e.g. `default`
 */
export function connect(options: { readonly address: string; readonly namespace: string }): Containerd {
  const { transport, failures } = countFailures(openTransport(options.address, systemClock));
  return connectOver(transport, { ...options, failures });
}

/** The same over a transport that is open already. */
export function connectOver(
  transport: Transport,
  options: { address: string; namespace: string; leaseId?: string; failures?: CallFailures },
): Containerd {
  const { address, namespace, leaseId, failures = new Map() } = options;
  const rpc = openRpc(transport, {
    'containerd-namespace': namespace,
    ...(leaseId === undefined ? {} : { 'containerd-lease': leaseId }),
  });
  return {
    address,
    namespace,
    containers: openContainers(rpc),
    tasks: openTasks(rpc),
    images: openImages(rpc),
    content: openContent(rpc),
    snapshots: openSnapshots(rpc),
    leases: openLeases(rpc),
    events: openEvents(rpc, systemClock),
    host: openHost(rpc),
    failures,
    withLease: (id) => connectOver(transport, { address, namespace, leaseId: id, failures }),
    inNamespace: (other) => connectOver(transport, { address, namespace: other, failures }),
    close: () => transport.close(),
  };
}
