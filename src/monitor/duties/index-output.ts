import type { ContainerContext } from '../../container/context.ts';
import { copyToJsonLog } from '../../container/json-log-writer.ts';
import { indexLogs, type LogIndexer } from '../../container/logs/log-indexer.ts';
import type { Clock } from '../../lib/clock.ts';
import { keyOf } from '../../lib/container-key.ts';
import { dataDirOf } from '../../lib/dirs.ts';
import type { Logger } from '../../lib/logger.ts';
import { recordFromCompact } from '../../record/compact-record.ts';
import { logConfigOf, logLimitOf } from '../../record/log-config.ts';
import { jsonLogOf, storedConfigOf } from '../../record/stored-config.ts';
import type { Watched } from '../host-model.ts';
import { isOurs } from './after-exit.ts';
import { createJsonLogLane } from './json-log-lane.ts';

/** A shim goes on so long at most after the main process has ended. */
const COPIED_AFTER_MS = 2_500;

/** Writes down when the output of containers came, and limits it, as long as they run. */
export interface LogKeeper {
  /** To be called when something of a container has changed. @param container undefined when it is gone */
  onChange(key: string, container: Watched | undefined): void;
  /** Idempotent. What was seen is written down. */
  stop(): void;
}

interface Kept {
  readonly indexer: LogIndexer;
  /** Copies its output for log shippers, where that was asked for. @param isOver whether it has ended */
  readonly copy: ((isOver: boolean) => void) | undefined;
}

export function createLogKeeper(options: {
  readonly contextOf: (namespace: string) => Pick<ContainerContext, 'dirs'>;
  readonly clock: Clock;
  readonly log: Logger;
}): LogKeeper {
  const { contextOf, clock, log } = options;
  const running = new Map<string, Kept & { readonly runId: string }>();
  const ending = new Map<string, Kept & { readonly timer: { cancel(): void } }>();
  /** Those that have ended and whose output was looked at since: it may have come while no monitor ran. */
  const copied = new Set<string>();

  const lane = createJsonLogLane({ clock, log });
  /** How the output of a container is copied; undefined where it is not. */
  const copierOf = (container: Watched): ((isOver: boolean) => void) | undefined => {
    const attributes = jsonLogOfWatched(container);
    if (!attributes) return undefined;
    const { namespace, id } = container;
    const { dirs } = contextOf(namespace);
    const options = { dataDir: dataDirOf(dirs, { namespace, id }), id, limit: limitOfLog(container), attributes };
    return (isOver) => lane.add(keyOf(container), () => copyToJsonLog(options, isOver));
  };
  const finish = (key: string): void => {
    const last = ending.get(key);
    last?.timer.cancel();
    last?.indexer.end();
    ending.delete(key);
    last?.copy?.(true);
  };
  /** The shim may still be copying. */
  const endSoon = (key: string): void => {
    const { indexer, copy } = running.get(key) ?? {};
    running.delete(key);
    if (!indexer) return;
    indexer.write();
    ending.set(key, { indexer, copy, timer: clock.after(COPIED_AFTER_MS, () => finish(key)) });
  };
  return {
    onChange: (key, container) => {
      const run = container?.run;
      if (!container || run) copied.delete(key);
      else if (!running.has(key) && !ending.has(key) && !copied.has(key)) {
        copied.add(key);
        copierOf(container)?.(true);
      }
      if (running.get(key)?.runId === run?.id) return;
      endSoon(key);
      if (!container || !run || !isKept(container)) return;
      const { namespace, id } = container;
      const dataDir = dataDirOf(contextOf(namespace).dirs, { namespace, id });
      const limit = limitOfLog(container);
      finish(key);
      const copy = copierOf(container);
      const onOutput = copy ? { onOutput: () => copy(false) } : {};
      const indexer = indexLogs({ dataDir, limit, startedAtMs: run.startedAtMs, clock, log, ...onOutput });
      running.set(key, { runId: run.id, indexer, copy });
      copy?.(false);
    },
    stop: () => {
      for (const key of [...running.keys()]) endSoon(key);
      for (const key of [...ending.keys()]) finish(key);
      lane.stop();
    },
  };
}

const logOf = ({ record }: Watched) => logConfigOf(storedConfigOf(recordFromCompact(record))?.HostConfig ?? {});
const isKept = (container: Watched): boolean => isOurs(container) && logOf(container).driver !== 'none';
const limitOfLog = (container: Watched) => logLimitOf(logOf(container));

const jsonLogOfWatched = (container: Watched) => {
  const stored = isOurs(container) ? storedConfigOf(recordFromCompact(container.record)) : undefined;
  return stored && jsonLogOf(stored);
};
