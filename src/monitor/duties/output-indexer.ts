import type { ContainerContext } from '../../container/context.ts';
import { copyToJsonLog } from '../../container/json-log-writer.ts';
import { indexLogs, type LogIndexer } from '../../container/logs/log-indexer.ts';
import type { Clock } from '../../lib/clock.ts';
import { keyOf } from '../../lib/container-key.ts';
import { dataDirOf } from '../../lib/dirs.ts';
import type { Logger } from '../../lib/logger.ts';
import { reportOnce } from '../../lib/report-once.ts';
import { recordFromCompact } from '../../record/compact-record.ts';
import { logConfigOf, logLimitOf } from '../../record/log-config.ts';
import { jsonLogOf, storedConfigOf } from '../../record/stored-config.ts';
import type { KnownContainer } from '../host-model.ts';
import { isOurs } from './after-exit.ts';
import { createJsonLogLane } from './json-log-lane.ts';

/** Longest time that a shim continues after the main process has ended. */
const COPIED_AFTER_MS = 2_500;

/** Records the times of containers' output, and limits its size, while they run. */
export interface OutputIndexer {
  /** Call it when a container has changed. @param container undefined if it is gone */
  onChange(key: string, container: KnownContainer | undefined): void;
  /** Idempotent. Pending times are written. */
  stop(): void;
}

interface OutputOfRun {
  /** Undefined for a run that ended before it was observed. */
  readonly indexer: LogIndexer | undefined;
  /** Copies its output for log shippers, if configured. @param isOver whether it has ended */
  readonly copy: ((isOver: boolean) => void) | undefined;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createOutputIndexer(options: {
  readonly contextOf: (namespace: string) => Pick<ContainerContext, 'dirs'>;
  readonly clock: Clock;
  readonly log: Logger;
}): OutputIndexer {
  const { contextOf, clock, log } = options;
  const running = new Map<string, OutputOfRun & { readonly runId: string }>();
  const ending = new Map<string, OutputOfRun & { readonly timer: { cancel(): void } }>();
  /** The ends whose output was copied: a run may end before it is observed, or while no monitor runs. */
  const copied = new Map<string, string>();

  const lane = createJsonLogLane({ clock, log });
  const onFault = reportOnce((text) => log.warn(text));
  /** Copies the output of a container; undefined if not configured. */
  const copierOf = (container: KnownContainer): ((isOver: boolean) => void) | undefined => {
    const attributes = jsonLogConfigOf(container);
    if (!attributes) return undefined;
    const { namespace, id } = container;
    const { dirs } = contextOf(namespace);
    const dataDir = dataDirOf(dirs, { namespace, id });
    const options = { dataDir, id, limit: limitOfLog(container), attributes, onFault };
    return (isOver) => lane.add(keyOf(container), () => copyToJsonLog(options, isOver));
  };
  const finish = (key: string): void => {
    const last = ending.get(key);
    last?.timer.cancel();
    last?.indexer?.end();
    ending.delete(key);
    last?.copy?.(true);
  };
  /** The shim may still be copying. */
  const finishLater = (key: string, kept: OutputOfRun): void => {
    ending.get(key)?.timer.cancel();
    ending.set(key, { ...kept, timer: clock.after(COPIED_AFTER_MS, () => finish(key)) });
  };
  const endSoon = (key: string): void => {
    const kept = running.get(key);
    running.delete(key);
    if (!kept) return;
    kept.indexer?.write();
    finishLater(key, kept);
  };
  const copyEnded = (key: string, container: KnownContainer): void => {
    const { pid, exitedAtMs } = container.task ?? {};
    const end = `${pid} ${exitedAtMs}`;
    if (running.has(key) || copied.get(key) === end) return;
    copied.set(key, end);
    const copy = copierOf(container);
    if (!copy) return;
    copy(false);
    if (!ending.has(key)) finishLater(key, { indexer: undefined, copy });
  };
  return {
    onChange: (key, container) => {
      const run = container?.run;
      if (!container) copied.delete(key);
      else if (!run) copyEnded(key, container);
      if (running.get(key)?.runId === run?.id) return;
      endSoon(key);
      if (!container || !run || !hasOutputFiles(container)) return;
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

const logOf = ({ record }: KnownContainer) => logConfigOf(storedConfigOf(recordFromCompact(record))?.HostConfig ?? {});
const hasOutputFiles = (container: KnownContainer): boolean => isOurs(container) && logOf(container).driver !== 'none';
const limitOfLog = (container: KnownContainer) => logLimitOf(logOf(container));

const jsonLogConfigOf = (container: KnownContainer) => {
  const stored = isOurs(container) ? storedConfigOf(recordFromCompact(container.record)) : undefined;
  return stored && jsonLogOf(stored);
};
