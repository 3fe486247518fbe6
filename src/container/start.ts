import { isFinished, stateOfUndeletable } from '../containerd/runtime-texts.ts';
import type { Mount, TaskStdio } from '../containerd/tasks.ts';
import { isChecked } from '../health/config.ts';
import { rfc3339FromMillis } from '../health/result.ts';
import { TICK_MS } from '../health/state.ts';
import { jsonFromHealthState } from '../health/state-json.ts';
import { dataDirOf, runDirOf } from '../lib/dirs.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import { keepExit } from '../record/exit-note.ts';
import { logConfigOf } from '../record/log-config.ts';
import { asksMonitor } from '../record/name-server.ts';
import { nameOptionsOf, usedNetworkOf } from '../record/network-config.ts';
import { networkModeOf } from '../record/network-mode.ts';
import { isStoppedByUser, startedLabels } from '../record/restart-label.ts';
import { storedConfigOf } from '../record/stored-config.ts';
import { type ContainerView, givenHealthConfigOf, refuseUnknown, runIdOf, startNoteJson } from '../record/view.ts';
import { missingStateDirLabel } from '../store/state-dir.ts';
import { readBootId, readStat } from '../system/proc.ts';
import type { ContainerContext } from './context.ts';
import { foreignStdioOf } from './foreign-stdio.ts';
import { ensureAppArmor } from './host/apparmor.ts';
import { runcOptions } from './host/runtime.ts';
import { prepareStdio } from './logs/output-files.ts';
import { prepareNamespaces } from './namespaces.ts';
import { ensureNerdctlAnnotations } from './nerdctl/annotations.ts';
import { attachNetwork, detachNetwork } from './network/attach.ts';
import { writeGeneratedFiles } from './network/generated-files.ts';
import { isJoinRefusal, withJoinedNetwork } from './network/join.ts';
import { writePidfile } from './pidfile.ts';
import { startFailure } from './start-failure.ts';
import { noteStartFailure } from './start-failure-note.ts';
import { setTmpfsModes } from './tmpfs-modes.ts';
import { withParts } from './volumes/parts.ts';
import { readyVolumes } from './volumes/ready.ts';

/** Docker's exit status of `run` if the runtime failed for another reason than the program. */
const CANNOT_START = 125;

/** A task that is created but not started: attach now, so that no byte is missed. */
export interface ReadyTask {
  readonly pid: number;
  readonly stdio: TaskStdio;
}

/**
 * Starts a container that does not run. A running one continues, as in Docker, and the record of a user's stop is
 * removed.
 *
 * @param beforeStart called when the task is created; if it throws, the task is deleted
 * @throws CONFLICT for a paused container; RUNTIME (exit code 126 or 127 like Docker's) if the program cannot be
 *   started
 */
export async function startContainer(
  ctx: ContainerContext,
  view: ContainerView,
  beforeStart?: (task: ReadyTask) => Promise<void>,
): Promise<void> {
  refuseUnknown(view);
  const { id, labels } = view.record;
  if (view.state === 'running') {
    // nerdctl records a stop for any signal; containerd 1.6 starts again what it has stopped. A stop of ours in
    // progress continues.
    if ((labels[LABELS.stopped] ?? '') === '' && isStoppedByUser(labels))
      await ctx.containerd.containers.setLabels(id, startedLabels(labels));
    return;
  }
  if (view.state === 'paused')
    throw new HealthctlError('CONFLICT', 'cannot start a paused container, try unpause instead');
  try {
    await startStopped(ctx, view, beforeStart);
  } catch (error) {
    noteStartFailure(ctx, view, error);
    throw error;
  }
}

async function startStopped(
  ctx: ContainerContext,
  view: ContainerView,
  beforeStart: ((task: ReadyTask) => Promise<void>) | undefined,
): Promise<void> {
  const { id } = view.record;
  const { tasks } = ctx.containerd;
  if (view.task) {
    noteLastExit(ctx, view);
    await dropTask(ctx, id, { isStarted: view.task.status !== 'created' });
  }
  const made = await makeTask(ctx, view, beforeStart !== undefined);
  const { pid } = made;
  try {
    setTmpfsModes(view.record, pid);
    const ports = await attachNetwork(ctx, view, pid);
    await beforeStart?.(made);
    if (view.record.labels[LABELS.owner] !== undefined) writePidfile(view.record, pid);
    const startTimeTicks = readStat(pid)?.startTimeTicks;
    await tasks.start({ containerId: id });
    const run = runIdOf(readBootId(), { pid, startTimeTicks: startTimeTicks ?? 0 });
    // Only now: a failed start does not count. If we die before this, the task itself proves the start. The boot clock
    // has the precision of a tick, and no check may come early.
    const note = startNoteJson(rfc3339FromMillis(ctx.clock.now()), run, ctx.clock.boot() + TICK_MS);
    await ctx.containerd.containers.setLabels(id, {
      ...startingMirror(ctx, view, run),
      ...ports,
      [LABELS.started]: note,
      ...startedLabels(view.record.labels),
    });
  } catch (error) {
    if (await isStarted(ctx, id)) throw error;
    await dropTask(ctx, id, { isStarted: false });
    throw startFailure(error, CANNOT_START);
  }
}

/** The start counts, so a note that cannot be written is a warning. */
function noteLastExit({ dirs, containerd, log }: ContainerContext, view: ContainerView): void {
  try {
    keepExit({ dirs, namespace: containerd.namespace }, view);
  } catch (error) {
    log.warn(`container ${view.record.id.slice(0, 12)}: how it ended could not be stored: ${messageOf(error)}`);
  }
}

/** The initial state for a check by nerdctl: otherwise it would continue with the state of the last run. */
function startingMirror(
  { dirs, containerd }: Pick<ContainerContext, 'dirs' | 'containerd'>,
  { record: { id, labels } }: ContainerView,
  run: string,
): Readonly<Record<string, string>> {
  if (!isChecked(givenHealthConfigOf(labels))) return {};
  const state = jsonFromHealthState({ status: 'starting', failingStreak: 0, inStartPeriod: false, run });
  const subject = { namespace: containerd.namespace, id, labels };
  return { [LABELS.nerdctlHealthstate]: JSON.stringify(state), ...missingStateDirLabel(dirs, subject) };
}

/** @param isAttached a client is attached: then output goes to files even if it is not kept */
async function makeTask(ctx: ContainerContext, view: ContainerView, isAttached: boolean): Promise<ReadyTask> {
  const { id, snapshotter, snapshotKey, runtimeBinary } = view.record;
  const subject = { namespace: ctx.containerd.namespace, id };
  const dataDir = dataDirOf(ctx.dirs, subject);
  const config = storedConfigOf(view.record);
  if (config) {
    await readyVolumes(ctx, config);
    const record = await ensureNerdctlAnnotations(ctx, await ensureAppArmor(ctx, view, config));
    await prepareNamespaces(ctx, record, config);
    const hostname = view.record.labels[LABELS.hostname] ?? id.slice(0, 12);
    const network = usedNetworkOf(config);
    const names = nameOptionsOf(config);
    writeGeneratedFiles(dataDir, { network, names, hostname, asksMonitor: asksMonitor(config) }, ctx.dirs);
  }
  const stdio = config
    ? prepareStdio({
        dataDir,
        runDir: runDirOf(ctx.dirs, subject),
        openStdin: config.Config.OpenStdin,
        terminal: config.Config.Tty,
        keepsOutput: isAttached || logConfigOf(config.HostConfig).driver !== 'none',
        onFault: ctx.dirs.onFault,
      })
    : foreignStdioOf(ctx, view.record);
  const rootfs: readonly Mount[] =
    snapshotKey === '' ? [] : await ctx.containerd.snapshots.mounts({ snapshotter, key: snapshotKey });
  const options = runtimeBinary === undefined ? {} : { runcOptions: runcOptions(runtimeBinary) };
  const make = () =>
    withParts(ctx, { id, config }, () =>
      ctx.containerd.tasks.create({ containerId: id, rootfs, ...stdio, ...options }),
    );
  const mode = networkModeOf(config?.HostConfig.NetworkMode ?? '');
  try {
    const pid =
      mode.kind === 'container' ? await withJoinedNetwork(ctx, { id, joined: mode.container }, make) : await make();
    return { pid, stdio };
  } catch (error) {
    if (isJoinRefusal(error)) throw error;
    if (hasCode(error, 'ALREADY_EXISTS'))
      throw new HealthctlError('CONFLICT', `container ${id.slice(0, 12)} is being started by somebody else`, {
        cause: error,
      });
    throw startFailure(error, CANNOT_START);
  }
}

/**
 * Deletes a task that does not run: its exit code belongs to an earlier run, or it was never started. A started one is
 * not killed: if it was started since we looked, containerd refuses to delete it.
 */
async function dropTask(ctx: ContainerContext, id: string, seen: { readonly isStarted: boolean }): Promise<void> {
  const { tasks } = ctx.containerd;
  try {
    if (!seen.isStarted) await ignoreMissing(tasks.kill({ containerId: id, signal: 9, all: true }));
    await ignoreMissing(tasks.delete(id));
  } catch (error) {
    if (stateOfUndeletable(error) === undefined) throw error;
    throw new HealthctlError('CONFLICT', `container ${id.slice(0, 12)} was started by somebody else`, { cause: error });
  }
  await detachNetwork(ctx, id);
}

/** Ignores containerd's or runc's error that the object does not exist. */
async function ignoreMissing(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND') && !isFinished(error)) throw error;
  }
}

async function isStarted(ctx: ContainerContext, id: string): Promise<boolean> {
  const task = await ctx.containerd.tasks.find(id).catch((error: unknown) => {
    ctx.log.debug(`the task of ${id} cannot be asked: ${messageOf(error)}`);
    return undefined;
  });
  return task !== undefined && task.status !== 'created';
}
