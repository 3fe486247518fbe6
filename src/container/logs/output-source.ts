import type { Clock } from '../../lib/clock.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { ContainerContext } from '../context.ts';
import { endOfContainer } from '../wait/end-of.ts';
import { type GrowingFile, openGrowingFile } from './growing-file.ts';
import { untilCopied } from './shim-copy.ts';

/** What readers of a container's output need: its files, and its end. */
export interface OutputSource {
  /** As openGrowingFile. */
  open(path: string): Promise<GrowingFile>;
  /** Resolves when the container has ended, and its files are complete. Throws ABORTED, and failures of containerd. */
  untilComplete(run: OutputRun, signal: AbortSignal): Promise<void>;
}

/** A run of a container. */
export interface OutputRun {
  readonly id: string;
  /** From shimOf. */
  readonly shimPid: number | undefined;
  /** The files that are written. */
  readonly paths: readonly string[];
}

type SourceContext = Pick<ContainerContext, 'containerd' | 'clock'>;

/** For one reader. */
export function ownOutputs({ containerd, clock }: SourceContext): OutputSource {
  return {
    open: openGrowingFile,
    untilComplete: async ({ id, shimPid, paths }, signal) => {
      await endOfContainer({ containerd, clock }, id, { signal });
      await untilCopied({ shimPid, paths, clock, signal });
    },
  };
}

/**
 * For many readers at the same time: those of a file share its descriptor, its watch and its polling, and those of a
 * run one request for its end. A reader that waits costs no timer.
 */
export function sharedOutputs(ctx: SourceContext): OutputSource {
  const own = ownOutputs(ctx);
  const files = new Map<string, SharedFile>();
  const ends = new Map<string, SharedEnd>();
  return {
    open: async (path) => {
      const file = await own.open(path);
      const known = files.get(file.key);
      // In one turn: its last reader could close it meanwhile.
      const lent = known?.lend();
      if (lent) {
        await file.close();
        return lent;
      }
      const shared = shareFile(file, ctx.clock, () => files.delete(file.key));
      files.set(file.key, shared);
      return shared.lend();
    },
    untilComplete: (run, signal) => {
      // Also by its shim: the files of a run are completed while the next one may run already.
      const key = `${run.id} ${run.shimPid}`;
      const shared = ends.get(key) ?? shareEnd(own, run, () => ends.delete(key));
      ends.set(key, shared);
      return shared.join(signal);
    },
  };
}

const POLL_MS = 250;

interface SharedFile {
  lend(): GrowingFile;
}

function shareFile(file: GrowingFile, clock: Pick<Clock, 'after'>, onClose: () => void): SharedFile {
  const listeners = new Set<() => void>();
  let users = 0;
  let stop = (): void => {};
  const notify = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const begin = (): void => {
    const unwatch = file.onChange(notify);
    const polling = pollSize(file, clock, notify);
    stop = () => {
      unwatch();
      polling.stop();
    };
  };
  const forget = (listener: () => void): void => {
    if (listeners.delete(listener) && listeners.size === 0) stop();
  };
  const release = async (): Promise<void> => {
    users -= 1;
    if (users > 0) return;
    onClose();
    await file.close();
  };
  return {
    lend: () => {
      users += 1;
      let isLent = true;
      return {
        ...file,
        reportsAll: true,
        onChange: (listener) => {
          // Each lender's own, so that two may use the same function.
          const own = (): void => listener();
          listeners.add(own);
          if (listeners.size === 1) begin();
          return () => forget(own);
        },
        close: async () => {
          const isFirst = isLent;
          isLent = false;
          if (isFirst) await release();
        },
      };
    },
  };
}

/** For file systems without notifications. Notifies once at the beginning: what came before was seen by nobody. */
function pollSize(file: GrowingFile, clock: Pick<Clock, 'after'>, notify: () => void): { stop(): void } {
  let known: number | undefined;
  let timer: { cancel(): void } | undefined;
  let isOver = false;
  const look = async (): Promise<void> => {
    try {
      const size = await file.size();
      if (size !== known && !isOver) notify();
      known = size;
    } catch {
      notify(); // the readers meet the error
    }
    if (!isOver) timer = clock.after(POLL_MS, () => void look());
  };
  timer = clock.after(POLL_MS, () => void look());
  return {
    stop: () => {
      isOver = true;
      timer?.cancel();
    },
  };
}

interface SharedEnd {
  join(signal: AbortSignal): Promise<void>;
}

/** Not one promise that all await: it would remember those who left, for as long as the container runs. */
function shareEnd(own: OutputSource, run: OutputRun, onOver: () => void): SharedEnd {
  const over = new AbortController();
  const waiting = new Set<(settle: { readonly error?: unknown }) => void>();
  let isOver = false;
  const finish = (result: { readonly error?: unknown }): void => {
    if (isOver) return;
    isOver = true;
    onOver();
    for (const settle of [...waiting]) settle(result);
  };
  own.untilComplete(run, over.signal).then(
    () => finish({}),
    (error: unknown) => finish({ error }),
  );
  return {
    join: (signal) =>
      new Promise((resolve, reject) => {
        const settle = ({ error }: { readonly error?: unknown }): void => {
          signal.removeEventListener('abort', leave);
          waiting.delete(settle);
          if (error === undefined) resolve();
          else reject(error);
        };
        const leave = (): void => {
          settle({ error: new HealthctlError('ABORTED', 'the wait for the end was cancelled') });
          if (waiting.size > 0 || isOver) return;
          isOver = true;
          onOver();
          over.abort();
        };
        waiting.add(settle);
        signal.addEventListener('abort', leave);
        if (signal.aborted) leave();
      }),
  };
}
