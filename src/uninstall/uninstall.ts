import { rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { listContainers } from '../container/list.ts';
import { removeContainer } from '../container/remove.ts';
import { stopContainer } from '../container/stop.ts';
import { daemonPathsOf } from '../daemon/daemon-paths.ts';
import { drainDaemon } from '../daemon/drain.ts';
import { removeUnit, stopUnit } from '../daemon/service-unit/install.ts';
import { createTimers } from '../daemon/timers/systemd-timers.ts';
import { hostIdOf } from '../lib/dirs.ts';
import { errnoOf, HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { dismantleNetworks } from '../network/remove-network.ts';
import type { ContainerView } from '../record/view.ts';
import { unloadAppArmorProfile } from '../system/apparmor.ts';
import { unmountIfMounted } from '../system/mount.ts';
import { mountPointsBelow } from '../system/mount-points.ts';
import { isSystemdRunning, systemd } from '../system/systemd.ts';
import { isInMemory } from '../volume/volume-options.ts';
import { readVolume } from '../volume/volume-store.ts';
import type { OwnContainer, Plan, Step } from './plan.ts';
import { isDirectory } from './roots.ts';
import { networksOf, type UninstallContext } from './survey.ts';

/**
 * @returns a warning about containers that will continue to run, because they cannot be stopped without containerd
 * @throws CONFLICT if containers run and the user has not agreed to end them or to leave them without what they need
 */
export function refuseRunning(
  { containers, hasContainerd }: { readonly containers: readonly OwnContainer[]; readonly hasContainerd: boolean },
  { isForced }: { readonly isForced: boolean },
): string | undefined {
  const up = containers.filter(({ isUp }) => isUp);
  const names = up.map(({ name }) => name).join(', ');
  if (up.length === 0) return undefined;
  if (isForced)
    return hasContainerd ? undefined : `without containerd these run on, without network and supervision: ${names}`;
  const [what, forced] = hasContainerd
    ? ['stop them first', 'which stops them']
    : ['start containerd and stop them first', 'which leaves them running without network and supervision'];
  throw new HealthctlError('CONFLICT', `containers of healthctl run: ${names}`, {
    hint: `${what}, or give --force, ${forced}`,
  });
}

/**
 * Executes the plan in order until a step fails: another call can remove the rest.
 *
 * @param onDone called after each step
 */
export async function uninstall(ctx: UninstallContext, { steps }: Plan, onDone: (step: Step) => void): Promise<void> {
  for (const step of steps) {
    if (ctx.signal.aborted) throw new HealthctlError('ABORTED', 'interrupted');
    if (await executeStep(ctx, step)) onDone(step);
  }
}

/** @returns whether the step removed something */
async function executeStep(ctx: UninstallContext, step: Step): Promise<boolean> {
  const { settings, clock, signal } = ctx;
  switch (step.kind) {
    case 'stop-containers':
      await eachContainer(ctx, step.containers, (context, view) => stopContainer(context, view, { abort: signal }));
      return true;
    case 'units':
      await removeUnit(settings);
      return true;
    case 'monitor':
      if (isSystemdRunning()) await stopUnit(settings); // a unit from a package
      await drainDaemon(daemonPathsOf(settings), ctx);
      return true;
    case 'timers': {
      const hostId = hostIdOf(settings.address);
      await createTimers({ systemd, clock, hostId, command: [], environment: {} }).sweepTimers([]);
      return true;
    }
    case 'remove-containers':
      await eachContainer(ctx, step.containers, (context, view) =>
        removeContainer(context, view, { force: true, volumes: true, abort: signal }),
      );
      return true;
    case 'networks':
      await dismantleNetworks(networksOf(ctx));
      return true;
    case 'apparmor-profile':
      await unloadAppArmorProfile(ctx);
      return true;
    case 'directory':
      return removeDirectory(step.path);
    case 'root':
      return removeIfEmpty(step.path);
  }
}

/** It is no error if one has gone meanwhile. */
async function eachContainer(
  { contextOf }: UninstallContext,
  containers: readonly OwnContainer[],
  work: (context: Awaited<ReturnType<typeof contextOf>>, view: ContainerView) => Promise<void>,
): Promise<void> {
  for (const { namespace, id } of containers) {
    const context = await contextOf(namespace);
    const [found] = await listContainers(context, { keep: ({ record }) => record.id === id });
    if (!found) continue;
    try {
      await work(context, found.view);
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error;
    }
  }
}

/** The shared memory of containers, mounted by shared-memory.ts, a part of a volume (parts.ts), or one in memory. */
function isOwnMount(point: string): boolean {
  if (basename(point).startsWith('.shm-') || basename(dirname(point)).startsWith('.parts-')) return true;
  const directory = dirname(point);
  const volume = readVolume(dirname(directory), basename(directory));
  return volume?.mountpoint === point && isInMemory(volume.options);
}

/**
 * Removes it with its content, without following links. Throws CONFLICT if something foreign is mounted in it, whose
 * content must stay.
 */
async function removeDirectory(path: string): Promise<boolean> {
  if (!isDirectory(path)) return false;
  for (const point of mountPointsBelow(path)) {
    if (!isOwnMount(point))
      throw new HealthctlError('CONFLICT', `${path} was not removed: something is mounted at ${point}`, {
        hint: `unmount it first: umount ${point}`,
      });
    while (unmountIfMounted(point)); // an interrupted start may have left another mount below
  }
  try {
    await rm(path, { recursive: true, force: true });
    return true;
  } catch (cause) {
    throw new HealthctlError('INTERNAL', `${path} was not removed: ${messageOf(cause)}`, { cause });
  }
}

function removeIfEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
}
