import type { ContainerRecord } from '../../containerd/containers.ts';
import type { Clock } from '../../lib/clock.ts';
import { type ContainerRef, keyOf } from '../../lib/container-key.ts';
import { messageOf } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import type { Logger } from '../../lib/logger.ts';
import { isStoppedByUser, restartPolicyOf } from '../../record/restart-label.ts';

/** Longer than any stop: after the timeout of a stop its container is killed. */
const NO_STOP_TAKES_MS = 9 * 60_000;

export interface ForeignStopNotesDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
  /** The present run of a container; undefined if it does not run. */
  readonly runOf: (container: ContainerRef) => string | undefined;
  /** Removes the label. */
  readonly clear: (container: ContainerRef) => Promise<void>;
}

/**
 * Removes the record of a stop that did not happen. nerdctl records one before any signal (`nerdctl kill -s HUP`), and
 * only the continuing run distinguishes it from a real one: a container of ours that is still in the same run long
 * after gets its restart policy back.
 *
 * @returns a function to call with the containers of a namespace after each list
 */
export function createForeignStopNotes({ clock, log, runOf, clear }: ForeignStopNotesDeps) {
  const seen = new Map<string, { readonly run: string; readonly sinceMs: number }>();
  return (namespace: string, records: readonly Pick<ContainerRecord, 'id' | 'labels'>[]): void => {
    const noted = records.filter(({ labels }) => isForeignNote(labels));
    const present = new Set(noted.map(({ id }) => keyOf({ namespace, id })));
    for (const key of seen.keys()) if (key.startsWith(`${namespace}/`) && !present.has(key)) seen.delete(key);
    for (const { id } of noted) {
      const key = keyOf({ namespace, id });
      const run = runOf({ namespace, id });
      const before = seen.get(key);
      if (run === undefined) seen.delete(key);
      else if (before?.run !== run) seen.set(key, { run, sinceMs: clock.monotonic() });
      else if (clock.monotonic() - before.sinceMs >= NO_STOP_TAKES_MS) {
        seen.delete(key);
        clear({ namespace, id }).then(
          () => log.debug(`container ${key} was signalled, not stopped: its restart policy holds again`),
          (error: unknown) => log.warn(`the note that ${key} was stopped could not be taken back: ${messageOf(error)}`),
        );
      }
    }
  };
}

/** By another tool, on a container of ours with a policy: healthctl also writes its own record. */
function isForeignNote(labels: ContainerRecord['labels']): boolean {
  const isOurs = labels[LABELS.owner] !== undefined && restartPolicyOf(labels).name !== 'no';
  return isOurs && (labels[LABELS.stopped] ?? '') === '' && isStoppedByUser(labels);
}
