import type { Clock } from '../lib/clock.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { Attachment } from '../network/attachment.ts';
import { readHostsOwnResolvConf, type Upstream, upstreamsFrom } from '../network/resolv-conf.ts';
import { type Family, type NetworkNamespace, openNetworkNamespace, type ProcessIdentity } from '../system/netns.ts';
import { readStat } from '../system/proc.ts';
import type { Peer, Transport } from './exchange.ts';

const PORT = 53;
/** How long a read of the host's resolv.conf is good for. */
const READ_MS = 2_000;

/**
 * The servers that are asked for a container. From the container's network, whose firewall rules hold for that too; only
 * those on the host's loopback are asked from the host's network. A container that has no way out gets none: names that
 * it asks for would carry data out.
 */
export function createServerList(clock: Pick<Clock, 'monotonic'>): (attachment: Attachment) => readonly Peer[] {
  let host = '';
  let readAtMs = Number.NEGATIVE_INFINITY;
  const hostText = (): string => {
    const nowMs = clock.monotonic();
    if (nowMs - readAtMs > READ_MS) [host, readAtMs] = [readHostsOwnResolvConf(), nowMs];
    return host;
  };
  return ({ memberships, nameServers = [], holder }) => {
    if (memberships.every(({ internal }) => internal)) return [];
    return upstreamsFrom(hostText(), nameServers).map((upstream) => peerOf(upstream, holder));
  };
}

const peerOf = ({ address, isOfHost }: Upstream, holder: ProcessIdentity): Peer => ({
  ...{ address, port: PORT },
  open: (transport, family) => openSocketAt(isOfHost ? ownProcess() : holder, transport, family),
});

function openSocketAt(process: ProcessIdentity, transport: Transport, family: Family): number {
  const namespace: NetworkNamespace | undefined = openNetworkNamespace(process);
  if (!namespace) throw new HealthctlError('CONFLICT', `process ${process.pid} has ended`);
  try {
    return transport === 'udp' ? namespace.openDatagramSocket(family) : namespace.openSocket(family);
  } finally {
    namespace.close();
  }
}

const ownProcess = (): ProcessIdentity => ({
  pid: process.pid,
  startTimeTicks: readStat(process.pid)?.startTimeTicks ?? 0,
});
