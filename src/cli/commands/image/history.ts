import { humanDuration, humanSize, localRfc3339 } from '../../../go/units.ts';
import { shortId } from '../../../image/digest-text.ts';
import { type HistoryRow, imageHistory } from '../../../image/history.ts';
import { parsePlatform } from '../../../image/platform.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { listFormatOption, noTruncOption } from '../../flags/format.ts';
import { platformOption } from '../../flags/platform.ts';
import { IMAGE } from '../../flags/values.ts';
import { ellipsis } from '../../format/ellipsis.ts';
import { type Column, renderList } from '../../format/table.ts';

/** `healthctl image history`: Docker's `history`. `healthctl history` is that of health. */
export const history: Command = {
  usage: '[OPTIONS] IMAGE',
  options: [
    listFormatOption,
    { name: 'human', short: 'H', type: 'bool', default: true, help: 'Print sizes and dates in human readable format' },
    noTruncOption,
    platformOption('Show history for the given platform, e.g. linux/amd64'),
    { name: 'quiet', short: 'q', type: 'bool', help: 'Only show image IDs' },
  ],
  args: { min: 1, max: 1 },
  complete: [IMAGE],
  run: (world, input) => runHistory(world, input),
};

type HistoryWorld = Pick<World, 'containerd' | 'clock' | 'settings' | 'signal'>;

async function runHistory(world: HistoryWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const [nameOrId = ''] = args;
  const platform = options.string('platform');
  const rows = await imageHistory(
    { containerd: await world.containerd() },
    {
      nameOrId,
      snapshotter: world.settings.snapshotter,
      signal: world.signal,
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    },
  );
  const isHuman = options.bool('human');
  const created = isHuman ? 'CreatedSince' : 'CreatedAt';
  const stdout = renderList({
    format: options.string('format'),
    quiet: options.bool('quiet'),
    defaultTable: `table {{.ID}}\t{{.${created}}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`,
    rows,
    columns: columnsOf({ noTrunc: options.bool('no-trunc'), isHuman, nowMs: world.clock.now() }),
    typeName: '*image.historyContext',
  });
  return { stdout };
}

/** Times before are unknown: reproducible builds write the beginning of the epoch. */
const FIRST_SHOWN_MS = Date.UTC(2000, 0, 1);
const CREATED_BY_WIDTH = 45;

interface Shown {
  readonly noTrunc: boolean;
  readonly isHuman: boolean;
  readonly nowMs: number;
}

function columnsOf({ noTrunc, isHuman, nowMs }: Shown): Record<string, Column<HistoryRow>> {
  const since = ({ createdMs }: HistoryRow) =>
    createdMs <= FIRST_SHOWN_MS ? 'N/A' : `${humanDuration(nowMs - createdMs)} ago`;
  return {
    Comment: { header: 'COMMENT', value: ({ comment }) => comment },
    CreatedAt: { header: 'CREATED AT', value: ({ createdMs }) => localRfc3339(createdMs) },
    CreatedBy: {
      header: 'CREATED BY',
      value: ({ createdBy }) => {
        const text = createdBy.replaceAll('\t', ' ');
        return noTrunc ? text : ellipsis(text, CREATED_BY_WIDTH);
      },
    },
    CreatedSince: { header: 'CREATED', value: (row) => (isHuman ? since(row) : localRfc3339(row.createdMs)) },
    ID: { header: 'IMAGE', value: ({ id }) => (noTrunc || !id.startsWith('sha256:') ? id : shortId(id)) },
    Size: { header: 'SIZE', value: ({ size }) => (isHuman ? humanSize(size, 3) : String(size)) },
  };
}
