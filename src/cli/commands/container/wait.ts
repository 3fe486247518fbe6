import { resolveView } from '../../../container/resolve.ts';
import { isAboutEnd, WAIT_CONDITIONS, type WaitCondition } from '../../../container/wait/wait-condition.ts';
import { waitContainer } from '../../../container/wait/wait-exit.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { forEachName } from '../../each.ts';
import { CONTAINER } from '../../flags/values.ts';
import { ensureChecked, refreshMonitor } from '../../monitor/announce-change.ts';

/**
 * `healthctl wait`: Docker's, with the conditions of Docker's API and of Podman. Prints one line per container, in
 * their order: its exit code, or the condition that was reached if the container did not end (Podman prints -1).
 */
export const wait: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: [
    {
      name: 'condition',
      type: 'list',
      value: 'condition',
      help: 'What to wait for: not-running (unless given), next-exit, removed, healthy, unhealthy, running, paused, exited, stopped, created; several are alternatives',
      check: (text) => (conditionFrom(text) === undefined ? `must be one of ${WAIT_CONDITIONS.join(', ')}` : undefined),
      complete: { words: WAIT_CONDITIONS },
    },
  ],
  args: { min: 1 },
  complete: [CONTAINER],
  run: (world, input) => runWait(world, input),
};

const conditionFrom = (text: string): WaitCondition | undefined => WAIT_CONDITIONS.find((known) => known === text);

async function runWait(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const given = options.list('condition').flatMap((text) => conditionFrom(text) ?? []);
  const ctx = await openContainers(world);
  if (given.every((condition) => condition === 'not-running')) {
    return forEachName(args, async (name) => {
      const view = await resolveView(ctx, name, world);
      return String(await waitContainer(ctx, view, world.signal));
    });
  }
  const isAboutHealth = given.includes('healthy') || given.includes('unhealthy');
  const { waitFor } = await import('../../../container/wait/wait-for.ts');
  return forEachName(args, async (name) => {
    const view = await resolveView(ctx, name, world);
    if (isAboutHealth) await ensureChecked(world, view.record);
    const hasMonitor = () => refreshMonitor(world, view.record.id);
    const { condition, exitCode = 0 } = await waitFor(ctx, view, given, { signal: world.signal, hasMonitor });
    return isAboutEnd(condition) ? String(exitCode) : condition;
  });
}
