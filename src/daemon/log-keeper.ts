import { recordFromCompact } from '../container/compact-record.ts';
import { type ContainerContext, dataDirOf } from '../container/context.ts';
import { logConfigOf, logLimitOf } from '../container/log-config.ts';
import { indexLogs, type LogIndexer } from '../container/log-indexer.ts';
import { storedConfigOf } from '../container/stored-config.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Watched } from '../monitor/host-model.ts';
import { isOurs } from './keeper.ts';

/** A shim goes on so long at most after the main process has ended. */
const COPIED_AFTER_MS = 2_500;

/** Writes down when the output of containers came, and limits it, as long as they run. */
export interface LogKeeper {
  /** To be called when something of a container has changed. @param container undefined when it is gone */
  onChange(key: string, container: Watched | undefined): void;
  /** Idempotent. What was seen is written down. */
  stop(): void;
}

export function createLogKeeper(options: {
  readonly contextOf: (namespace: string) => Pick<ContainerContext, 'dirs'>;
  readonly clock: Clock;
  readonly log: Logger;
}): LogKeeper {
  const { contextOf, clock, log } = options;
  const running = new Map<string, { readonly runId: string; readonly indexer: LogIndexer }>();
  const ending = new Map<string, { readonly indexer: LogIndexer; readonly timer: { cancel(): void } }>();

  const finish = (key: string): void => {
    const last = ending.get(key);
    last?.timer.cancel();
    last?.indexer.end();
    ending.delete(key);
  };
  /** The shim may still be copying. */
  const endSoon = (key: string): void => {
    const indexer = running.get(key)?.indexer;
    running.delete(key);
    if (!indexer) return;
    indexer.write();
    ending.set(key, { indexer, timer: clock.after(COPIED_AFTER_MS, () => finish(key)) });
  };
  return {
    onChange: (key, container) => {
      const run = container?.run;
      if (running.get(key)?.runId === run?.id) return;
      endSoon(key);
      if (!container || !run || !isKept(container)) return;
      const { namespace, id } = container;
      const dataDir = dataDirOf(contextOf(namespace).dirs, { namespace, id });
      const limit = limitOfLog(container);
      finish(key);
      const indexer = indexLogs({ dataDir, limit, startedAtMs: run.startedAtMs, clock, log });
      running.set(key, { runId: run.id, indexer });
    },
    stop: () => {
      for (const key of [...running.keys()]) endSoon(key);
      for (const key of [...ending.keys()]) finish(key);
    },
  };
}

const logOf = ({ record }: Watched) => logConfigOf(storedConfigOf(recordFromCompact(record))?.HostConfig ?? {});
const isKept = (container: Watched): boolean => isOurs(container) && logOf(container).driver !== 'none';
const limitOfLog = (container: Watched) => logLimitOf(logOf(container));

/** Whether a container's output is to be limited while it runs, which takes a monitor. */
export const isLogLimited = (container: Watched): boolean => isOurs(container) && limitOfLog(container) !== undefined;
