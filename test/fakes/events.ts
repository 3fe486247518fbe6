import type { ContainerdEvent, EventFact, Events } from '../../src/containerd/events.ts';
import { HealthctlError } from '../../src/lib/errors.ts';

/** An exchange in memory: what is told reaches every subscriber, in order, and nobody who comes later. */
export interface FakeExchange extends Events {
  /** Tells an event, in the namespace `default` unless it says another. */
  tell(event: EventFact & Partial<Pick<ContainerdEvent, 'namespace' | 'atMs'>>): void;
  readonly published: readonly { readonly topic: string; readonly json: string }[];
  /** How many subscriptions have not ended. */
  readonly subscribers: number;
}

export function createFakeExchange(): FakeExchange {
  const queues = new Set<{ waiting: ContainerdEvent[]; wake: () => void }>();
  const published: { topic: string; json: string }[] = [];
  const tell: FakeExchange['tell'] = (event) => {
    const told: ContainerdEvent = { namespace: 'default', atMs: 0, ...event };
    for (const queue of queues) {
      queue.waiting.push(told);
      queue.wake();
    }
  };
  return {
    published,
    tell,
    publish: async (event) => {
      published.push(event);
      tell({ kind: 'own', ...event });
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
