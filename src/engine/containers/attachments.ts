import type { ReadyTask } from '../../container/start.ts';

/**
 * Connects a client to a task that is created but not started; or, without one, to the task that runs by now.
 *
 * @public
 */
export type Connect<T> = (task: ReadyTask | undefined) => Promise<T>;

/**
 * The clients that wait, attached, for the next start of a container: `docker run` and `docker start -a` attach on one
 * connection and start on another.
 *
 * INVARIANT: a client that waited when a start of this process began is connected before the program runs, or its
 * promise is settled.
 */
export interface Attachments {
  /**
   * Waits for the next start of a container, and connects then.
   *
   * @returns what `connect` did; undefined if the start failed, the container is gone, or the signal fired
   * @throws the error of `connect`, which does not fail the start
   */
  next<T>(id: string, connect: Connect<T>, signal: AbortSignal): Promise<T | undefined>;
  /**
   * Starts a container with the clients that wait for it: pass `beforeStart` on to `startContainer`. It is undefined
   * while nobody waits, because output that nobody keeps or reads goes nowhere.
   */
  start(id: string, run: (beforeStart?: (task: ReadyTask) => Promise<void>) => Promise<void>): Promise<void>;
  /** The container runs, started by another process or the monitor: connects all that still wait for it. */
  started(id: string): Promise<void>;
  /** The container is gone: nobody waits for it any more. */
  gone(id: string): void;
}

interface Waiting {
  connect(task: ReadyTask | undefined): Promise<void>;
  leave(): void;
}

export function createAttachments(): Attachments {
  const waiting = new Map<string, Set<Waiting>>();

  const take = (id: string): readonly Waiting[] => {
    const taken = [...(waiting.get(id) ?? [])];
    waiting.delete(id);
    return taken;
  };
  const connectAll = async (id: string, task: ReadyTask | undefined): Promise<void> => {
    await Promise.all(take(id).map((client) => client.connect(task)));
  };
  const gone = (id: string): void => {
    for (const client of take(id)) client.leave();
  };
  const remove = (id: string, client: Waiting): void => {
    const clients = waiting.get(id);
    clients?.delete(client);
    if (clients?.size === 0) waiting.delete(id);
  };

  return {
    next: (id, connect, signal) =>
      new Promise((resolve, reject) => {
        const leave = (): void => {
          remove(id, client);
          signal.removeEventListener('abort', leave);
          resolve(undefined);
        };
        const client: Waiting = {
          leave,
          connect: async (task) => {
            signal.removeEventListener('abort', leave);
            await connect(task).then(resolve, reject);
          },
        };
        if (signal.aborted) return leave();
        signal.addEventListener('abort', leave);
        const clients = waiting.get(id) ?? new Set();
        waiting.set(id, clients.add(client));
      }),
    start: async (id, run) => {
      try {
        await run(waiting.has(id) ? (task) => connectAll(id, task) : undefined);
      } catch (error) {
        gone(id);
        throw error;
      }
      // Who came while it was being started.
      await connectAll(id, undefined);
    },
    started: (id) => connectAll(id, undefined),
    gone,
  };
}
