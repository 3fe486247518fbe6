import { type ContainerRef, keyOf } from '../../lib/container-key.ts';
import type { RestartRecord } from '../../record/restart-record.ts';

/** The stored counts of restarts; what cannot be written, on a full disk, is kept in memory until it can. */
export interface RestartCounts {
  read(ref: ContainerRef): RestartRecord;
  change(ref: ContainerRef, what: Partial<RestartRecord>): void;
  /** The container is gone. */
  forget(key: string): void;
}

export interface RestartStore {
  readRestarts(ref: ContainerRef): RestartRecord;
  writeRestarts(ref: ContainerRef, record: RestartRecord): void;
}

/** @param onUnwritten called once for a container whose counts cannot be written any more */
export function createRestartCounts(
  store: RestartStore,
  onUnwritten: (ref: ContainerRef, error: unknown) => void,
): RestartCounts {
  const unwritten = new Map<string, RestartRecord>();
  const read = (ref: ContainerRef): RestartRecord => unwritten.get(keyOf(ref)) ?? store.readRestarts(ref);
  return {
    read,
    change: (ref, what) => {
      const key = keyOf(ref);
      const next = { ...read(ref), ...what };
      try {
        store.writeRestarts(ref, next);
        unwritten.delete(key);
      } catch (error) {
        if (!unwritten.has(key)) onUnwritten(ref, error);
        unwritten.set(key, next);
      }
    },
    forget: (key) => void unwritten.delete(key),
  };
}
