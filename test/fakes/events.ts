import type { ContainerdEvent, EventFact, Events } from '../../src/containerd/events.ts';
import { HealthctlError } from '../../src/lib/errors.ts';

/** An event exchange in memory. Each event reaches all present subscribers, in order, and no later one. */
export interface FakeExchange extends Events {
  /** Sends an event; default namespace: `default`. */
  emit(event: EventFact & Partial<Pick<ContainerdEvent, 'namespace' | 'atMs'>>): void;
  readonly published: readonly { readonly topic: string; readonly json: string }[];
  /** The number of subscriptions that have not ended. */
  readonly subscribers: number;
}

export function createFakeExchange(): FakeExchange {
  const queues = new Set<{ waiting: ContainerdEvent[]; wake: () => void }>();
  const published: { topic: string; json: string }[] = [];
  const emit: FakeExchange['emit'] = (event) => {
    const full: ContainerdEvent = { namespace: 'default', atMs: 0, ...event };
    for (const queue of queues) {
      queue.waiting.push(full);
      queue.wake();
    }
  };
  return {
    published,
    emit,
    publish: async (event) => {
      published.push(event);
      emit({ kind: 'own', ...event });
    },
    subscribe: async ({ signal }) => {
      const queue: { waiting: ContainerdEvent[]; wake: () => void } = { waiting: [], wake: () => {} };
      queues.add(queue);
      signal.addEventListener('abort', () => {
        queues.delete(queue);
        queue.wake();
      });
      return (async function* () {
        for (;;) {
          if (signal.aborted) throw new HealthctlError('ABORTED', 'Subscribe was cancelled');
          const next = queue.waiting.shift();
          if (next) yield next;
          else
            await new Promise<void>((resolve) => {
              queue.wake = resolve;
            });
        }
      })();
    },
    get subscribers() {
      return queues.size;
    },
  };
}
