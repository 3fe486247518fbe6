import type { ContainerContext } from '../../container/context.ts';
import { attachNetwork, networkContextOf } from '../../container/network/attach.ts';
import { viewRecord } from '../../container/resolve.ts';
import { keyOf } from '../../lib/container-key.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { sweepAttachments } from '../../network/attach.ts';
import { readAttachment } from '../../network/attachment.ts';
import { networkModeOf } from '../../record/network-mode.ts';
import { networksOf } from '../../record/networks.ts';
import { isAlive, readStat } from '../../system/proc.ts';
import type { KnownContainer } from '../host-model.ts';
import { isOurs } from './after-exit.ts';

/** The monitor's network duties, except detaching containers that end. */
export interface NetworkRepair {
  /** Releases what containers left that ended without a monitor. Never fails. */
  sweep(namespace: string): Promise<void>;
  /** Attaches a running container of ours that another tool started without its network. Never fails. */
  attachMissed(container: KnownContainer): Promise<void>;
  /** Resolves when no work is in progress. */
  stop(): Promise<void>;
}

const isUp = (pid: number): boolean => isAlive(readStat(pid));

export function createNetworkRepair(options: {
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly log: Logger;
}): NetworkRepair {
  const { contextOf, log } = options;
  const attaching = new Map<string, Promise<void>>();

  /** A start by healthctl has attached the container already. */
  const isMissed = (container: KnownContainer): boolean => {
    const { namespace, id, record, task, run } = container;
    const hasNetwork = networksOf(record).some((name) => networkModeOf(name).kind === 'network');
    if (!isOurs(container) || !run || !task || !hasNetwork) return false;
    const stat = readStat(task.pid);
    if (stat === undefined || !isAlive(stat)) return false;
    const { holder } = readAttachment(contextOf(namespace), { namespace, id }) ?? {};
    return holder?.pid !== stat.pid || holder.startTimeTicks !== stat.startTimeTicks;
  };
  const attach = async ({ namespace, id }: KnownContainer, pid: number): Promise<void> => {
    const ctx = contextOf(namespace);
    const { containers } = ctx.containerd;
    try {
      const labels = await attachNetwork(ctx, await viewRecord(ctx, await containers.get(id)), pid);
      if (Object.keys(labels).length > 0) await containers.setLabels(id, labels);
      log.warn(`container ${keyOf({ namespace, id })}: another tool started it without its network, which it has now`);
    } catch (error) {
      if (!isUp(pid)) return; // it has ended meanwhile
      log.warn(
        `container ${keyOf({ namespace, id })}: another tool started it without its network, which it cannot have: ${messageOf(error)}`,
      );
    }
  };

  return {
    sweep: async (namespace) => {
      try {
        await sweepAttachments(networkContextOf(contextOf(namespace)));
      } catch (error) {
        log.warn(`networks of containers that are gone could not be taken down: ${messageOf(error)}`);
      }
    },
    attachMissed: async (container) => {
      const key = keyOf(container);
      const pid = container.task?.pid;
      if (pid === undefined || attaching.has(key) || !isMissed(container)) return;
      const attached = attach(container, pid);
      attaching.set(key, attached);
      await attached;
      attaching.delete(key);
    },
    stop: async () => {
      await Promise.all(attaching.values());
    },
  };
}
