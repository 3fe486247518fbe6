import type { AttachEnd } from '../../../container/console/attach.ts';
import { parseDetachKeys } from '../../../container/console/detach-keys.ts';
import { checkTerminal } from '../../../container/console/user-console.ts';
import type { ContainerContext } from '../../../container/context.ts';
import { resolveView } from '../../../container/resolve.ts';
import { startContainer } from '../../../container/start.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { LABELS } from '../../../lib/labels.ts';
import { forgetRestarts } from '../../../record/restart-record.ts';
import { storedConfigOf } from '../../../record/stored-config.ts';
import type { ContainerView } from '../../../record/view.ts';
import type { World } from '../../../world.ts';
import { type AttachWish, removeAfterEnd, resultOfAttachment, startAttachedTo } from '../../attached.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { findDependencies, waitForDependencies } from '../../dependencies.ts';
import { forEachName } from '../../each.ts';
import { dependenciesFrom, dependsOnSpec } from '../../flags/depends-on.ts';
import { STOPPED } from '../../flags/values.ts';
import { waitOptionSpecs, waitWishFrom } from '../../flags/wait.ts';
import { announceChange } from '../../monitor/announce-change.ts';
import { startWaitedFor } from '../../start-waited-for.ts';

/** `healthctl start`: Docker's. */
export const start: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: [
    { name: 'attach', short: 'a', type: 'bool', help: 'Attach STDOUT/STDERR and forward signals' },
    { name: 'detach-keys', type: 'string', help: 'Override the key sequence for detaching a container' },
    { name: 'interactive', short: 'i', type: 'bool', help: "Attach container's STDIN" },
    ...waitOptionSpecs,
    dependsOnSpec,
  ],
  args: { min: 1 },
  complete: [STOPPED],
  run: (world, input) => {
    const isAttached = input.options.bool('attach') || input.options.bool('interactive');
    const wish = waitWishFrom(input.options);
    if (!isAttached) return startAll(world, input, wish);
    if (wish) throw new HealthctlError('USAGE', '--wait conflicts with --attach and --interactive');
    return startAttached(world, input);
  },
};

/** One after another, as in Docker: a container may need the one named before it, and its health. */
async function startAll(
  world: World,
  { args: names, options }: CommandInput,
  wish: ReturnType<typeof waitWishFrom>,
): Promise<CommandResult> {
  const ctx = await openContainers(world);
  await waitForDependencies(world, ctx, await findDependencies(world, ctx, dependenciesFrom(options)));
  const failed: string[] = [];
  const work = async (name: string): Promise<void> => {
    try {
      const view = await resolveView(ctx, name, world);
      forgetRestarts({ dirs: ctx.dirs, namespace: ctx.containerd.namespace }, view.record.id);
      if (wish) {
        const ready = await startWaitedFor(world, ctx, view);
        return await ready(wish);
      }
      await startContainer(ctx, view);
      await announceChange(world, ctx, view.record.id, { kind: 'started' });
    } catch (error) {
      failed.push(name);
      throw error;
    }
  };
  const { errors = [], ...result } = await forEachName(names, work, { atOnce: 1 });
  if (errors.length === 0) return result;
  const summary = new HealthctlError('CONFLICT', `failed to start containers: ${failed.join(', ')}`);
  return { ...result, errors: names.length > 1 ? [...errors, summary] : errors, exitCode: 1 };
}

async function startAttached(world: World, { options, args }: CommandInput): Promise<CommandResult> {
  const [name = '', ...others] = args;
  if (others.length > 0) throw new HealthctlError('INVALID', 'you cannot start and attach multiple containers at once');
  const detachKeys = parseDetachKeys(options.string('detach-keys'));
  const ctx = await openContainers(world);
  await waitForDependencies(world, ctx, await findDependencies(world, ctx, dependenciesFrom(options)));
  const view = await resolveView(ctx, name, world);
  if (view.record.labels[LABELS.owner] === undefined) {
    throw new HealthctlError('CONFLICT', `the output of container ${view.name} is not healthctl's`, {
      hint: 'start it without -a and -i',
    });
  }
  const config = storedConfigOf(view.record)?.Config;
  const stdin =
    options.bool('interactive') && config?.OpenStdin ? (config.StdinOnce === true ? 'once' : 'shared') : 'none';
  const tty = config?.Tty === true;
  checkTerminal(world, { terminal: tty, stdin: stdin !== 'none' });
  const wish = { stdin, proxySignals: !tty, detachKeys } as const;
  forgetRestarts({ dirs: ctx.dirs, namespace: ctx.containerd.namespace }, view.record.id);
  const end = await attachTo(world, ctx, { view, wish });
  await removeAfterEnd(world, ctx, view.record.id, end);
  return resultOfAttachment(end);
}

async function attachTo(
  world: World,
  ctx: ContainerContext,
  { view, wish }: { readonly view: ContainerView; readonly wish: AttachWish },
): Promise<AttachEnd> {
  if (view.state !== 'running' || !view.task) return startAttachedTo(world, ctx, { view, wish });
  const { attachContainer } = await import('../../../container/console/attach.ts');
  const request = { ...wish, containerId: view.record.id, pid: view.task.pid, stdio: view.task, isNew: false };
  return (await attachContainer(ctx, world, request)).ended;
}
