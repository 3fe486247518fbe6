import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import { keyOf } from '../lib/container-key.ts';
import { errnoOf, messageOf } from '../lib/errors.ts';
import { randomBelow } from '../lib/random.ts';
import { reportOnce } from '../lib/report-once.ts';
import {
  type Attached,
  type Attachment,
  attachedFrom,
  isHeld,
  listAttachments,
  readAttachment,
} from '../network/attachment.ts';
import { type NetworkContext, networkPathsOf } from '../network/network-context.ts';
import type { DescriptorStore } from '../system/descriptor-store.ts';
import { openNetworkNamespace, type ProcessIdentity } from '../system/netns.ts';
import { createAnswerer } from './answer.ts';
import { createForwarding, type Forwarder } from './forward.ts';
import { type KeptSockets, type Listener, openListener } from './listener.ts';
import { createRateLimits } from './rate-limit.ts';
import { createServerList } from './servers.ts';
import { type NetworkNames, namesOfNetworks, type Zone, zoneOf } from './zone.ts';

/** Ten times what issues from a busy container; the whole is some tenths of a CPU. */
const RATES = { each: 3_000, all: 10_000 };
/** Each waiting query has a descriptor. */
const FORWARDED = { each: 64, all: 256 };

/**
 * Docker's DNS server in each container on a user network: `127.0.0.11`, port 53, UDP and TCP. It knows what the records
 * of attached containers say, which each process that attaches or detaches one writes.
 *
 * INVARIANTS
 * 1. Its sockets are closed as soon as the end of their container is known, since they keep its network alive; systemd
 *    closes its copies then, or when the service has stopped.
 * 2. A failure concerns one container, which can then still use its hosts file and the host's servers.
 */
export interface NameServers {
  /** Serves all attached containers, now and later. Idempotent; call it again when a first one may have been attached. */
  follow(): void;
  /** The process of a container has ended. */
  onExit(container: Attached): void;
  /** Number of containers that it serves. */
  readonly size: number;
  stop(): void;
}

interface Served {
  readonly attachment: Attachment;
  readonly listener: Listener;
  readonly forwarder: Forwarder;
}

export interface NameServersDeps {
  readonly ctx: Pick<NetworkContext, 'dirs' | 'clock' | 'log'>;
  /** Other monitors serve the containers of other namespaces. */
  readonly isMonitored: (namespace: string) => boolean;
  /** Keeps the sockets over a restart of the monitor: meanwhile they queue what is asked. */
  readonly descriptors: DescriptorStore;
}

/** How long systemd may take to close the sockets of a listener that was closed, and how often to look. */
const RELEASE = { limitMs: 2_000, everyMs: 100 };

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createNameServers({ ctx, isMonitored, descriptors }: NameServersDeps): NameServers {
  const { clock, log } = ctx;
  const directory = networkPathsOf(ctx.dirs).attached;
  const attachments = new Map<string, Attachment>();
  const served = new Map<string, Served>();
  const rateOf = createRateLimits(RATES, clock);
  const forwarderOf = createForwarding(FORWARDED, { clock, randomId: () => randomBelow(65_536) });
  const serverList = createServerList(clock);
  const warnOnce = reportOnce((text) => log.warn(text));
  const released = new Map<string, number>();
  let isStopped = false;
  let watcher: FSWatcher | undefined;
  /** Of all networks, until something changes. */
  let names: ReadonlyMap<string, NetworkNames> | undefined;
  let zones = new Map<string, Zone>();

  const zoneFor = (key: string): Zone => {
    const known = zones.get(key);
    if (known) return known;
    const all = [...attachments.values()];
    names ??= namesOfNetworks(all);
    const member = attachments.get(key);
    const zone = member ? zoneOf(member, names, all) : { networks: [], links: new Map() };
    zones.set(key, zone);
    return zone;
  };
  const close = (key: string): void => {
    const one = served.get(key);
    if (!one) return;
    served.delete(key);
    one.listener.close();
    one.forwarder.stop();
    if (descriptors.isLasting && isHeld(one.attachment)) released.set(key, clock.monotonic());
  };
  /** Whether systemd may still have the sockets of a listener that was closed while its container runs on. */
  const isBeingReleased = (key: string): boolean => {
    const sinceMs = clock.monotonic() - (released.get(key) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs > RELEASE.limitMs) released.delete(key);
    return sinceMs <= RELEASE.limitMs;
  };
  const open = (key: string, attachment: Attachment): void => {
    const namespace = openNetworkNamespace(attachment.holder);
    if (!namespace) return;
    const forwarder = forwarderOf();
    const answerer = createAnswerer({
      zone: () => zoneFor(key),
      servers: () => serverList(attachments.get(key) ?? attachment),
      forwarder,
    });
    const text = (error: unknown) =>
      `the DNS server of container ${attachment.id.slice(0, 12)} failed: ${messageOf(error)}`;
    try {
      const onFault = (error: unknown) => warnOnce(text(error));
      const kept = keptSockets(descriptors, attachment.holder);
      const listener = openListener(namespace, { answerer, rate: rateOf(), clock, onFault, kept });
      served.set(key, { attachment, listener, forwarder });
    } catch (error) {
      const isInUse = errnoOf(error) === 'EADDRINUSE';
      if (isInUse && isBeingReleased(key)) clock.after(RELEASE.everyMs, () => put(key, attachments.get(key)));
      // Its own program may have been faster: then it is that program's port.
      else if (isInUse) log.debug(text(error));
      else warnOnce(text(error));
    } finally {
      namespace.close();
    }
  };
  const put = (key: string, attachment: Attachment | undefined): void => {
    names = undefined;
    zones = new Map();
    const isUp = attachment !== undefined && isHeld(attachment);
    if (isUp) attachments.set(key, attachment);
    else attachments.delete(key);
    const known = served.get(key);
    const isWanted = isUp && isServed(attachment) && isMonitored(attachment.namespace);
    if (known && (!isWanted || !isSameRun(known.attachment, attachment))) close(key);
    if (isWanted && !served.has(key) && !isStopped) open(key, attachment);
  };
  const readAll = (): void => {
    const found = new Map(listAttachments(ctx).map((one) => [keyOf(one), one]));
    for (const key of [...attachments.keys()]) if (!found.has(key)) put(key, undefined);
    for (const [key, one] of found) put(key, one);
  };
  const unwatch = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const onChange = (fileName: string | null): void => {
    const changed = attachedFrom(fileName ?? '');
    if (fileName === basename(directory)) unwatch(); // it was removed itself
    try {
      if (changed) put(keyOf(changed), readAttachment(ctx, changed));
      else if (fileName === null) readAll();
    } catch (error) {
      warnOnce(`the records of networks cannot be read: ${messageOf(error)}`);
    }
  };
  const startWatch = (): void => {
    try {
      watcher ??= watch(directory, (_, fileName) => onChange(fileName)).on('error', unwatch);
    } catch (error) {
      // No container was ever attached here.
      if (errnoOf(error) !== 'ENOENT') warnOnce(`changes of networks are seen late: ${messageOf(error)}`);
    }
  };

  return {
    follow: () => {
      if (watcher) return;
      startWatch();
      onChange(null);
      descriptors.sweep();
    },
    // A new run may have begun already.
    onExit: (container) => put(keyOf(container), attachments.get(keyOf(container))),
    get size() {
      return served.size;
    },
    stop: () => {
      isStopped = true;
      unwatch();
      for (const { listener, forwarder } of served.values()) {
        listener.handOver();
        forwarder.stop();
      }
      served.clear();
    },
  };
}

/** Named after the process that holds the network: no other container, nor another run, ever gets them. */
function keptSockets(descriptors: DescriptorStore, { pid, startTimeTicks }: ProcessIdentity): KeptSockets {
  const nameOf = (protocol: string) => `dns/${protocol}/${pid}-${startTimeTicks}`;
  return {
    take: (protocol) => descriptors.take(nameOf(protocol)),
    keep: (protocol, fd) => descriptors.keep(nameOf(protocol), fd),
    drop: (protocol) => descriptors.drop(nameOf(protocol)),
    park: (protocol, fd) => descriptors.park(nameOf(protocol), fd),
  };
}

/** Whether it is on a user network, with an interface. */
const isServed = ({ memberships, nameServers }: Attachment): boolean =>
  nameServers !== undefined && memberships.some(({ names, endpoint }) => names.length > 0 && endpoint !== undefined);

const isSameRun = ({ holder: a }: Attachment, { holder: b }: Attachment): boolean =>
  a.pid === b.pid && a.startTimeTicks === b.startTimeTicks && a.bootId === b.bootId;
