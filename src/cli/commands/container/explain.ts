import { resolveView } from '../../../container/resolve.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { explainedOf } from '../../explained.ts';
import { formatOption } from '../../flags/format.ts';
import { CONTAINER } from '../../flags/values.ts';
import { explanationPage, explanationValue } from '../../format/explanation.ts';
import { checkTemplate, renderSingle } from '../../format/single.ts';

/** `healthctl explain`: exit 0 whatever the health is. */
export const explain: Command = {
  usage: '[OPTIONS] CONTAINER',
  description:
    'Explain the health of a container: what is checked, where each setting came from, who makes the\nchecks, why the last ones failed, and what to do.',
  options: [formatOption],
  args: { min: 1, max: 1 },
  complete: [CONTAINER],
  run: (world, input) => runExplain(world, input),
};

async function runExplain(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const format = options.string('format');
  checkTemplate(format);
  const ctx = await openContainers(world);
  const view = await resolveView(ctx, args[0] ?? '', { signal: world.signal });
  const explained = await explainedOf(world, ctx, view);
  return { stdout: format ? renderSingle(explanationValue(explained), format) : explanationPage(explained) };
}
