import type { StoredHealth } from '../health/state.ts';
import { keyOf } from '../lib/container-key.ts';
import { HealthctlError } from '../lib/errors.ts';
import { DEFAULT_LOG_ENTRIES, type HealthStore } from './health-store.ts';

/** A health store in memory, for tests of code above the port. */
export function createMemoryHealthStore(options: { readonly maxEntries?: number } = {}): HealthStore {
  const maxEntries = options.maxEntries ?? DEFAULT_LOG_ENTRIES;
  const stored = new Map<string, StoredHealth>();
  const turns = new Map<string, Promise<void>>();
  const read = (key: string): StoredHealth => stored.get(key) ?? { log: [], state: undefined };
  const withCheckLock: HealthStore['withCheckLock'] = async (subject, work, signal) => {
    const key = keyOf(subject);
    const before = turns.get(key) ?? Promise.resolve();
    let free = () => {};
    const mine = new Promise<void>((resolve) => {
      free = resolve;
    });
    turns.set(
      key,
      before.then(() => mine),
    );
    try {
      await untilFirst(before, signal);
      return await work({ scratchDir: `/nonexistent/${key}` });
    } finally {
      free();
    }
  };
  return {
    get: async (subject) => read(keyOf(subject)),
    update: async (subject, decide) => {
      const key = keyOf(subject);
      const before = read(key);
      const record = decide(before);
      if (record) stored.set(key, { log: [...before.log, record.result].slice(-maxEntries), state: record.state });
      return read(key);
    },
    withCheckLock,
    remove: async (subject) => {
      await withCheckLock(subject, async () => {
        stored.delete(keyOf(subject));
      });
    },
  };
}

async function untilFirst(turn: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const aborted = () => new HealthctlError('ABORTED', 'waiting for the check lock was cancelled');
  if (signal?.aborted) throw aborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => reject(aborted());
    signal?.addEventListener('abort', onAbort, { once: true });
    turn.then(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, reject);
  });
}
