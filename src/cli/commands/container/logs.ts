import { quote } from '../../../go/quote.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { Command } from '../../command.ts';
import { openContainers } from '../../context.ts';
import { timeRangeFrom } from '../../flags/time-range.ts';
import { CONTAINER } from '../../flags/values.ts';

/**
 * `healthctl logs`: Docker's. Without a monitor the times, and the order between the streams, are unknown: `--tail`
 * then counts the lines of each.
 */
export const logs: Command = {
  usage: '[OPTIONS] CONTAINER',
  options: [
    { name: 'details', type: 'bool', help: 'Show extra details provided to logs' },
    { name: 'follow', short: 'f', type: 'bool', help: 'Follow log output' },
    {
      name: 'since',
      type: 'string',
      help: 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
    {
      name: 'tail',
      short: 'n',
      type: 'string',
      help: 'Number of lines to show from the end of the logs',
      default: 'all',
      complete: { words: ['all'] },
    },
    { name: 'timestamps', short: 't', type: 'bool', help: 'Show timestamps' },
    {
      name: 'until',
      type: 'string',
      help: 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  ],
  args: { min: 1, max: 1 },
  complete: [CONTAINER],
  run: async (world, { options, args: [nameOrId = ''] }) => {
    const tail = tailFrom(options.string('tail') ?? 'all');
    const range = timeRangeFrom(options, world);
    const [ctx, { resolveView }, { showLogs }, { writerTo }] = await Promise.all([
      openContainers(world),
      import('../../../container/resolve.ts'),
      import('../../../container/logs/show-logs.ts'),
      import('../../../container/console/user-console.ts'),
    ]);
    const view = await resolveView(ctx, nameOrId, { signal: world.signal });
    const [follow, timestamps, details] = [options.bool('follow'), options.bool('timestamps'), options.bool('details')];
    const { streams, signal } = world;
    const write = { stdout: writerTo(streams.stdout, signal), stderr: writerTo(streams.stderr, signal) };
    await showLogs(ctx, { write, signal }, view, { tail, follow, timestamps, details, ...range });
    return {};
  },
};

/** A negative number means all, as in Docker; Docker also takes any other text as all, which hides a typing error. */
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
