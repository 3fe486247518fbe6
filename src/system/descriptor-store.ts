import { closeSync } from 'node:fs';
import { passedDescriptors } from './passed-descriptors.ts';
import { type Notifier, openNotifier } from './sd-notify.ts';

/**
 * Sockets that survive a restart of this process: systemd keeps copies of them, and passes them to the next one. Within
 * the process, they survive a reload.
 */
export interface DescriptorStore {
  /** The descriptor that an earlier process, or the monitor before a reload, had under this name; it is the caller's. */
  take(name: string): number | undefined;
  /** From now on it survives this process. The descriptor stays the caller's. */
  keep(name: string, fd: number): void;
  /** It survives no longer: its owner closes it for good. */
  drop(name: string): void;
  /** Gives a descriptor of a kept socket to who takes it next in this process. */
  park(name: string, fd: number): void;
  /** Closes and drops what nobody has taken. */
  sweep(): void;
  /** Whether they survive this process. */
  readonly isLasting: boolean;
}

/** Begins the names of stored descriptors, which distinguishes them from sockets of a socket unit. */
const PREFIX = 'kept/';

export const isStoredName = (name: string): boolean => name.startsWith(PREFIX);

/** @param env of the process: FDSTORE, which systemd sets from version 254 on, and our unit for earlier ones; LISTEN_… */
export function openDescriptorStore(
  env: Readonly<Record<string, string | undefined>>,
  notifier: Pick<Notifier, 'storeDescriptor' | 'dropDescriptor'>,
): DescriptorStore {
  const isLasting = /^[1-9]\d*$/.test(env.FDSTORE ?? '');
  const waiting = new Map<string, number>();
  for (const { fd, name } of passedDescriptors(env)) if (isStoredName(name)) waiting.set(name, fd);
  const drop = (name: string): void => {
    if (isLasting) notifier.dropDescriptor(name);
  };
  return {
    isLasting,
    take: (name) => {
      const fd = waiting.get(PREFIX + name);
      waiting.delete(PREFIX + name);
      return fd;
    },
    keep: (name, fd) => {
      if (isLasting) notifier.storeDescriptor(PREFIX + name, fd);
    },
    drop: (name) => drop(PREFIX + name),
    park: (name, fd) => void waiting.set(PREFIX + name, fd),
    sweep: () => {
      for (const [name, fd] of waiting) {
        closeSync(fd);
        drop(name);
      }
      waiting.clear();
    },
  };
}

/** Has systemd close what it has kept for this process. */
export function dropPassedDescriptors(env: Readonly<Record<string, string | undefined>>): void {
  const notifier = openNotifier(env);
  for (const { name } of passedDescriptors(env)) if (isStoredName(name)) notifier.dropDescriptor(name);
}
