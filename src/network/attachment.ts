import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { as, type Guard, isNumber, isText, isTexts, listOf, objectOf, oneOf, optional } from '../lib/shape.ts';
import { replaceFile } from '../system/atomic-write.ts';
import type { ProcessIdentity } from '../system/netns.ts';
import { readOwnJson, removeOwn } from '../system/own-file.ts';
import { isAlive, readBootId, readStat } from '../system/proc.ts';
import { type LockedNetworks, type NetworkContext, networkPlacesOf } from './places.ts';
import type { PluginConfig } from './plugins.ts';
import { PROTOCOLS, type PublishedPort } from './port-spec.ts';

/** The process whose network namespace is attached. */
export interface Holder {
  readonly bootId: string;
  readonly pid: number;
  readonly startTimeTicks: number;
}

/** What a container has in its network, as the plugins told. */
export interface Endpoint {
  readonly address: string;
  /** Bits of the subnet. */
  readonly prefix: number;
  /** Empty where it has none. */
  readonly gateway: string;
  readonly mac: string;
}

/** What it keeps from run to run. With another hardware address, neighbours would go on asking the one that is gone. */
export type InterfaceAddress = Pick<Endpoint, 'address' | 'mac'>;

/** One run of a container on a network: written before the plugins are called, so that whatever they made can be taken back. */
export interface Attachment {
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly holder: Holder;
  readonly network: string;
  readonly networkId: string;
  /** What the plugins were called with, in the order of ADD. */
  readonly plugins: readonly PluginConfig[];
  readonly ports: readonly PublishedPort[];
  /** What others on a user network call it; empty on the default one. */
  readonly names: readonly string[];
  readonly hostname: string;
  readonly domainname?: string;
  /** The container's file of hosts. */
  readonly hostsPath: string;
  /** `name:address` of `--add-host`, addresses resolved. */
  readonly extraHosts: readonly string[];
  /** Absent until the plugins have answered. */
  readonly endpoint?: Endpoint;
  /** The last plugin's result, which DEL is given back. */
  readonly result?: unknown;
  /** The process that holds the ports, of this boot like the container's. Absent where it has none, or has none yet. */
  readonly portHolder?: ProcessIdentity;
}

export interface Attached {
  readonly namespace: string;
  readonly id: string;
}

/** Neither half may hold a colon. */
const fileOf = ({ dirs }: Pick<NetworkContext, 'dirs'>, { namespace, id }: Attached): string =>
  join(networkPlacesOf(dirs).attached, `${namespace}:${id}.json`);

/** Undefined for a container that is not attached. */
export function readAttachment(ctx: Pick<NetworkContext, 'dirs'>, subject: Attached): Attachment | undefined {
  return readRecord(ctx, fileOf(ctx, subject));
}

export function listAttachments(ctx: Pick<NetworkContext, 'dirs'>): readonly Attachment[] {
  const { attached } = networkPlacesOf(ctx.dirs);
  try {
    return readdirSync(attached)
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .flatMap((name) => readRecord(ctx, join(attached, name)) ?? []);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Throws EXHAUSTED without space. */
export function writeAttachment(ctx: LockedNetworks, attachment: Attachment): void {
  replaceFile(fileOf(ctx, attachment), `${JSON.stringify(attachment)}\n`);
}

export function forgetAttachment(ctx: LockedNetworks, subject: Attached): void {
  removeOwn(fileOf(ctx, subject));
}

/** Whether the process still is there: if not, nothing uses what was attached. @param bootId of this boot */
export function isHeld({ holder }: Pick<Attachment, 'holder'>, bootId: string = readBootId()): boolean {
  if (holder.bootId !== bootId) return false;
  const stat = readStat(holder.pid);
  return stat?.startTimeTicks === holder.startTimeTicks && isAlive(stat);
}

/** A damaged record is none: what it told of can only be found by hand. */
function readRecord({ dirs }: Pick<NetworkContext, 'dirs'>, path: string): Attachment | undefined {
  return readOwnJson(path, (value) => as(isAttachment, value), dirs);
}

const PROCESS = { pid: isNumber, startTimeTicks: isNumber };

const isAttachment: Guard<Attachment> = objectOf({
  ...{ namespace: isText, id: isText, name: isText, network: isText, networkId: isText },
  ...{ hostname: isText, domainname: optional(isText), hostsPath: isText },
  holder: objectOf({ bootId: isText, ...PROCESS }),
  portHolder: optional(objectOf(PROCESS)),
  plugins: listOf(objectOf({ type: isText })),
  ports: listOf(objectOf({ hostIp: isText, hostPort: isNumber, containerPort: isNumber, protocol: oneOf(PROTOCOLS) })),
  ...{ names: isTexts, extraHosts: isTexts },
  endpoint: optional(objectOf({ address: isText, prefix: isNumber, gateway: isText, mac: isText })),
});
