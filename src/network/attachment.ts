import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { as, type Guard, isNumber, isText, isTexts, listOf, objectOf, oneOf, optional } from '../lib/shape.ts';
import { replaceFile } from '../system/atomic-write.ts';
import type { ProcessIdentity } from '../system/netns.ts';
import { readOwnJson, removeOwn } from '../system/own-file.ts';
import { isAlive, readBootId, readStat } from '../system/proc.ts';
import { type LockedNetworks, type NetworkContext, networkPathsOf } from './network-context.ts';
import type { PluginConfig } from './plugins.ts';
import { PROTOCOLS, type PublishedPort } from './port-spec.ts';

/** The process whose network namespace is attached. */
export interface Holder {
  readonly bootId: string;
  readonly pid: number;
  readonly startTimeTicks: number;
}

/** A container's interface on its network, from the plugins' result. */
export interface Endpoint {
  readonly address: string;
  /** Prefix length of the subnet. */
  readonly prefix: number;
  /** Empty if it has none. */
  readonly gateway: string;
  readonly mac: string;
}

/** The addresses to keep from run to run. With another hardware address, neighbours would still use the old one. */
export type InterfaceAddress = Pick<Endpoint, 'address' | 'mac'>;

/**
 * One run of a container on a network: written before the plugins are called, so that everything they make can be
 * undone.
 */
export interface Attachment {
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly holder: Holder;
  readonly network: string;
  readonly networkId: string;
  /** The plugins' configurations, in the order of ADD. */
  readonly plugins: readonly PluginConfig[];
  readonly ports: readonly PublishedPort[];
  /** Its names for others on a user network; empty on the default one. */
  readonly names: readonly string[];
  readonly hostname: string;
  readonly domainname?: string;
  /** The container's hosts file. */
  readonly hostsPath: string;
  /** `name:address` of `--add-host`, addresses resolved. */
  readonly extraHosts: readonly string[];
  /** Absent until the plugins have answered. */
  readonly endpoint?: Endpoint;
  /** The last plugin's result, which DEL gets. */
  readonly result?: unknown;
  /**
   * The process that holds the ports, of the same boot as the container. Absent without ports, or before it was
   * started.
   */
  readonly portHolder?: ProcessIdentity;
}

export interface Attached {
  readonly namespace: string;
  readonly id: string;
}

/** Neither half can contain a colon. */
const fileOf = ({ dirs }: Pick<NetworkContext, 'dirs'>, { namespace, id }: Attached): string =>
  join(networkPathsOf(dirs).attached, `${namespace}:${id}.json`);

/** Undefined for a container that is not attached. */
export function readAttachment(ctx: Pick<NetworkContext, 'dirs'>, subject: Attached): Attachment | undefined {
  return readRecord(ctx, fileOf(ctx, subject));
}

export function listAttachments(ctx: Pick<NetworkContext, 'dirs'>): readonly Attachment[] {
  const { attached } = networkPathsOf(ctx.dirs);
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

/** Whether the process still exists: if not, the attachment is unused. @param bootId of this boot */
export function isHeld({ holder }: Pick<Attachment, 'holder'>, bootId: string = readBootId()): boolean {
  if (holder.bootId !== bootId) return false;
  const stat = readStat(holder.pid);
  return stat?.startTimeTicks === holder.startTimeTicks && isAlive(stat);
}

/** A damaged record counts as none: its attachment can only be found by hand. */
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
