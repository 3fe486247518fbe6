import type { AttachEnd } from '../../../container/console/attach.ts';
import { parseDetachKeys } from '../../../container/console/detach-keys.ts';
import { checkTerminal } from '../../../container/console/user-console.ts';
import type { ContainerContext } from '../../../container/context.ts';
import { waitForForeignRestart } from '../../../container/foreign-restart.ts';
import type { Dependency } from '../../../container/wait/wait-dependency.ts';
import { HealthctlError, hasCode, messageOf } from '../../../lib/errors.ts';
import type { AttachedStreams } from '../../../record/create-request.ts';
import { type ContainerView, momentOf, viewOf } from '../../../record/view.ts';
import type { World } from '../../../world.ts';
import { resultOfAttachment, startAttachedTo } from '../../attached.ts';
import type { Command, CommandResult } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { createFromOptions } from '../../create-container.ts';
import { findDependencies, waitForDependencies } from '../../dependencies.ts';
import { createOptionSpecs, createOptionsFrom } from '../../flags/create.ts';
import { dependenciesFrom, dependsOnSpec } from '../../flags/depends-on.ts';
import { IMAGE } from '../../flags/values.ts';
import { waitOptionSpecs, waitWishFrom } from '../../flags/wait.ts';
import { announceChange } from '../../monitor/announce-change.ts';
import { startWaitedFor } from '../../start-waited-for.ts';
import { workingDirectory } from '../../working-directory.ts';

/** The options of `run` beyond those of `create`. */
interface RunOptions {
  readonly detach: boolean;
  readonly sigProxy: boolean;
  readonly detachKeys: readonly number[];
  readonly tty: boolean;
  readonly openStdin: boolean;
  /** `--attach`. */
  readonly attach: AttachedStreams;
  readonly autoRemove: boolean;
  /** `--wait`. */
  readonly wait: ReturnType<typeof waitWishFrom>;
}

/** `healthctl run`: Docker's. */
export const run: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  options: [
    ...createOptionSpecs,
    { name: 'detach', short: 'd', type: 'bool', help: 'Run container in background and print container ID' },
    { name: 'detach-keys', type: 'string', help: 'Override the key sequence for detaching a container' },
    { name: 'sig-proxy', type: 'bool', help: 'Proxy received signals to the process', default: true },
    ...waitOptionSpecs,
    dependsOnSpec,
  ],
  args: { min: 1 },
  complete: [IMAGE],
  optionsEndAtArgument: true,
  failureCode: 125,
  run: async (world, { options, args }) => {
    const asked = await createOptionsFrom(options, args, {
      cwd: workingDirectory,
      env: world.env,
      defaultNetwork: world.settings.network.defaultNetwork,
      signal: world.signal,
      detach: options.bool('detach'),
    });
    const { tty, openStdin, attach, autoRemove } = asked.request;
    const keys = options.string('detach-keys');
    const how: RunOptions = {
      detach: options.bool('detach'),
      sigProxy: options.bool('sig-proxy'),
      detachKeys: parseDetachKeys(keys),
      ...{ tty, openStdin, attach, autoRemove },
      wait: waitWishFrom(options),
    };
    refuseImpossible(world, how);
    const ctx = await openContainers(world);
    const dependencies = await findDependencies(world, ctx, dependenciesFrom(options));
    const { record } = await createFromOptions(world, ctx, asked);
    return runCreated(world, ctx, { view: viewOf(record, undefined, momentOf(ctx.clock)), how, dependencies });
  },
};

function refuseImpossible(world: World, { detach, tty, openStdin, wait }: RunOptions): void {
  if (wait && !detach) {
    throw new HealthctlError('USAGE', '--wait needs --detach', { hint: 'without -d, run waits for the end anyway' });
  }
  if (!detach) checkTerminal(world, { terminal: tty, stdin: openStdin });
}

interface CreatedRun {
  /** As created. */
  readonly view: ContainerView;
  readonly how: RunOptions;
  readonly dependencies: readonly Dependency[];
}

/**
 * A container that was not started, because the user cancelled or a dependency failed, or that must not stay, is
 * removed again.
 */
async function runCreated(world: World, ctx: ContainerContext, created: CreatedRun): Promise<CommandResult> {
  const { view, how, dependencies } = created;
  const { id } = view.record;
  let isToStay = false;
  let isBegun = false;
  try {
    await waitForDependencies(world, ctx, dependencies);
    isBegun = true;
    if (how.detach) {
      const result = await startDetached(world, ctx, created);
      isToStay = true;
      return result;
    }
    const end = await runAttached(world, ctx, created);
    // A detached container continues to run, as does one that nerdctl has restarted: the monitor removes it at its end.
    isToStay = !how.autoRemove || end.kind === 'detached' || (await waitForForeignRestart(ctx, id));
    if (isToStay) await announceChange(world, ctx, id, { kind: 'changed' });
    return resultOfAttachment(end);
  } catch (error) {
    isToStay = isBegun && !how.autoRemove && !(hasCode(error, 'ABORTED') && !(await wasStarted(ctx, id)));
    throw error;
  } finally {
    if (!isToStay) {
      await removeOrWarn(ctx, id);
      await announceChange(world, ctx, id, { kind: 'ended' });
    }
  }
}

/** The id is printed whether the container becomes ready or not: it exists, and continues. */
async function startDetached(world: World, ctx: ContainerContext, { view, how }: CreatedRun): Promise<CommandResult> {
  const { id } = view.record;
  refuseAborted(world);
  const stdout = `${id}\n`;
  if (!how.wait) {
    const { startContainer } = await import('../../../container/start.ts');
    await startContainer(ctx, view);
    await announceChange(world, ctx, id, { kind: 'started' });
    return { stdout };
  }
  const ready = await startWaitedFor(world, ctx, view);
  try {
    await ready(how.wait);
    return { stdout };
  } catch (error) {
    if (error instanceof Error) return { stdout, errors: [error] };
    throw error;
  }
}

async function runAttached(world: World, ctx: ContainerContext, { view, how }: CreatedRun): Promise<AttachEnd> {
  refuseAborted(world);
  const wish = {
    stdin: how.openStdin ? 'once' : 'none',
    outputs: how.attach,
    proxySignals: how.sigProxy,
    detachKeys: how.detachKeys,
  } as const;
  return startAttachedTo(world, ctx, { view, wish });
}

async function viewById(ctx: ContainerContext, id: string) {
  const { viewRecord } = await import('../../../container/resolve.ts');
  return viewRecord(ctx, await ctx.containerd.containers.get(id));
}

function refuseAborted({ signal }: Pick<World, 'signal'>): void {
  if (signal.aborted) throw new HealthctlError('ABORTED', 'run was cancelled');
}

async function wasStarted(ctx: ContainerContext, id: string): Promise<boolean> {
  return (await viewById(ctx, id)).started.ever;
}

/** A failed removal is a warning, and does not hide the exit status of the command itself. */
async function removeOrWarn(ctx: ContainerContext, id: string): Promise<void> {
  const { removeContainer } = await import('../../../container/remove.ts');
  try {
    await removeContainer(ctx, await viewById(ctx, id), { force: true, volumes: true });
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND')) ctx.log.warn(`container ${id} was not removed: ${messageOf(error)}`);
  }
}
