import { containerExists, findContainer } from '../../container/container-exists.ts';
import type { ContainerContext } from '../../container/context.ts';
import { forgetNerdctlFiles } from '../../container/nerdctl/store.ts';
import { detachNetwork } from '../../container/network/attach.ts';
import { removeEnded } from '../../container/remove-ended.ts';
import { releaseSharedMemory } from '../../container/shared-memory.ts';
import { releaseParts } from '../../container/volumes/parts.ts';
import type { Clock } from '../../lib/clock.ts';
import { dataDirOf } from '../../lib/dirs.ts';
import { messageOf } from '../../lib/errors.ts';
import { LABELS } from '../../lib/labels.ts';
import type { Logger } from '../../lib/logger.ts';
import { cgroupsPathOf } from '../../oci/spec.ts';
import { recordFromCompact } from '../../record/compact-record.ts';
import { lastExitNote, writeExitNote } from '../../record/exit-note.ts';
import { storedConfigOf } from '../../record/stored-config.ts';
import { startNoteOf } from '../../record/view.ts';
import { oomKillsOf } from '../../system/oom-kills.ts';
import { removeOwn } from '../../system/own-file.ts';
import type { Exit, MonitorHooks } from '../hooks.ts';
import type { KnownContainer } from '../host-model.ts';

const NOTE_TRIES = 20;
/** For a task that was not seen to start: if it never did, there is no record, and whoever tried to start it waits. */
const UNSEEN_TRIES = 3;
const NOTE_EVERY_MS = 50;

/** What to store and remove when a container ends or is gone. It changes only containers that healthctl made. */
export function createAfterExit(options: {
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly clock: Clock;
  readonly log: Logger;
}): Pick<MonitorHooks, 'onExit' | 'onGone'> {
  const { contextOf, clock, log } = options;

  /**
   * The run that has ended. The process that started it records the run only after the start has returned, and it may
   * have ended by then.
   */
  const runOf = async (container: KnownContainer): Promise<string | undefined> => {
    const { containers } = contextOf(container.namespace).containerd;
    const most = container.isStartSeen ? NOTE_TRIES : UNSEEN_TRIES;
    for (let tries = 0; tries < most; tries += 1) {
      const record = tries === 0 ? container.record : await findContainer(containers, container.id);
      if (!record) return undefined; // removed meanwhile, e.g. by `run --rm`
      const run = startNoteOf(record.labels)?.run;
      if (run?.split(':')[1] === `${container.task?.pid}`) return run;
      await clock.sleep(NOTE_EVERY_MS);
    }
    return undefined;
  };

  const note = async (container: KnownContainer, exit: Exit): Promise<void> => {
    const { dirs } = contextOf(container.namespace);
    const namespaceDirs = { dirs, namespace: container.namespace };
    const run = await runOf(container);
    if (run === undefined) return;
    const before = lastExitNote(namespaceDirs, container.id);
    const isOutOfMemory = container.isOutOfMemory || wasKilled(container);
    if (before?.run === run && (before.isOutOfMemory || !isOutOfMemory)) return;
    try {
      writeExitNote(namespaceDirs, container.id, { run, ...exit, isOutOfMemory });
    } catch (error) {
      log.warn(`container ${container.id}: how it ended could not be stored: ${messageOf(error)}`);
    }
  };

  return {
    onExit: async (container, exit) => {
      if (!isOurs(container)) return;
      await Promise.all([
        exit ? note(container, exit) : undefined,
        detachNetwork(contextOf(container.namespace), container.id),
      ]);
      if (isAutoRemoved(container)) await removeEnded(contextOf(container.namespace), container.id);
    },
    onGone: async (container) => {
      const ctx = contextOf(container.namespace);
      const { containerd, store, dirs } = ctx;
      if (await containerExists(containerd.containers, container.id)) return; // created again
      const { namespace, id, record } = container;
      await detachNetwork(contextOf(container.namespace), id);
      await store.remove({ namespace, id, labels: record.labels });
      removeOwn(dataDirOf(dirs, { namespace, id }));
      releaseSharedMemory(ctx, id);
      releaseParts(ctx, id);
      // nerdctl cleans up its own.
      if (isOurs(container)) await forgetNerdctlFiles(ctx, { id, labels: record.labels });
    },
  };
}

/** For an end that happened without a monitor: the cgroup of a task exists until the task is deleted. */
function wasKilled({ namespace, id }: KnownContainer): boolean {
  const cgroupsPath = () => cgroupsPathOf({ namespace, id });
  return (oomKillsOf({ containerId: id, pid: undefined, cgroupsPath }) ?? 0) > 0;
}

export function isOurs({ record }: KnownContainer): boolean {
  return record.labels[LABELS.owner] !== undefined;
}

/** Whether a container of ours is removed when it ends. */
function isAutoRemoved({ record }: KnownContainer): boolean {
  return storedConfigOf(recordFromCompact(record))?.HostConfig.AutoRemove === true;
}
