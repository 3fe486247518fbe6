import { HealthctlError } from '../../../lib/errors.ts';
import { quote } from '../../../lib/quote.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';

/** `healthctl logs`: Docker's, without time stamps. The two streams are kept apart, so `--tail` counts the lines of each. */
export const logs: Command = {
  usage: '[OPTIONS] CONTAINER',
  options: [
    { name: 'follow', short: 'f', type: 'bool', help: 'Follow log output' },
    {
      name: 'tail',
      short: 'n',
      type: 'string',
      help: 'Number of lines to show from the end of the logs, of stdout and of stderr each',
      default: 'all',
    },
  ],
  args: { min: 1, max: 1 },
  run: async (world, { options, args: [nameOrId = ''] }) => {
    const tail = tailFrom(options.string('tail') ?? 'all');
    const [ctx, { resolveView }, { showLogs }] = await Promise.all([
      openContainers(world),
      import('../../../container/resolve.ts'),
      import('../../../container/logs.ts'),
    ]);
    const view = await resolveView(ctx, nameOrId, { signal: world.signal });
    await showLogs(ctx, world, view, { tail, follow: options.bool('follow') });
    return {};
  },
};

/** A negative number means all, as with Docker; Docker takes what is no number for all too, which hides a slip. */
function tailFrom(text: string): number | 'all' {
  if (text === 'all') return text;
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw new HealthctlError(
      'USAGE',
      `invalid argument ${quote(text)} for "-n, --tail" flag: must be a number or "all"`,
    );
  }
  return Number(text) < 0 ? 'all' : Number(text);
}
