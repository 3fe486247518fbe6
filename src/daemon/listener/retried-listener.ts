import { chmodSync, chownSync } from 'node:fs';
import type { ListenOptions, Server } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ServiceLogger } from '../../lib/logger.ts';
import { freeSocketPath } from '../../system/own-file.ts';

/** A server that listens. */
export interface Listening {
  /** Cuts off all clients, and removes its socket. */
  close(): Promise<void>;
}

/** A server whose failure never keeps the monitor from checking: it is logged once, and listening is tried again. */
export interface RetriedListener<T extends Listening> {
  /** Resolves when it listens, or has failed for the first time. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Undefined while it does not listen. */
  readonly listening: T | undefined;
}

export interface RetriedListenerDeps<T extends Listening> {
  /** Leaves nothing open if it throws. */
  readonly listen: () => Promise<T>;
  /** Logged each time it listens. */
  readonly opened: string;
  /** Logged, with the reason, when it fails for the first time. */
  readonly failed: string;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<ServiceLogger, 'info' | 'warn'>;
}

const RETRY_MS = 10_000;

export function createRetriedListener<T extends Listening>(deps: RetriedListenerDeps<T>): RetriedListener<T> {
  const { opened, failed, clock, log } = deps;
  let listening: T | undefined;
  let retry: { cancel(): void } | undefined;
  let isFailureTold = false;
  let isStopped = false;
  const start = async (): Promise<void> => {
    try {
      const made = await deps.listen();
      if (isStopped) return await made.close();
      listening = made;
      log.info(opened);
    } catch (error) {
      if (!isFailureTold) log.warn(`${failed}, retrying: ${messageOf(error)}`);
      isFailureTold = true;
      if (!isStopped) retry = clock.after(RETRY_MS, () => void start());
    }
  };
  return {
    start,
    stop: async () => {
      isStopped = true;
      retry?.cancel();
      const stopped = listening;
      listening = undefined;
      await stopped?.close();
    },
    get listening() {
      return listening;
    },
  };
}

interface ServerToOpen {
  readonly server: Server;
  readonly target: ListenOptions;
  /** In messages. */
  readonly what: string;
  /** Of a Unix socket: mode 0600, or 0660 with a group. */
  readonly groupId: number | undefined;
  readonly log: Pick<ServiceLogger, 'warn'>;
  readonly close: () => Promise<void>;
}

/** Resolves when the server listens; from then on its errors are logged. A Unix socket is its owner's and its group's. */
export async function openServer({ server, target, what, groupId, log, close }: ServerToOpen): Promise<void> {
  const { path } = target;
  if (path !== undefined) freeSocketPath(path, (text) => log.warn(text));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error) => log.warn(`${what}: ${error.message}`));
  if (path === undefined) return;
  try {
    if (groupId !== undefined) chownSync(path, 0, groupId);
    chmodSync(path, groupId === undefined ? 0o600 : 0o660);
  } catch (error) {
    await close();
    throw error;
  }
}
