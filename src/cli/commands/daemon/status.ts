import type { DaemonStatus } from '../../../daemon/api/answers.ts';
import { DESCRIPTOR_RESERVE } from '../../../daemon/descriptor-reserve.ts';
import { humanDuration, humanSize } from '../../../go/units.ts';
import { printableLine } from '../../../lib/printable.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { formatOption } from '../../flags/format.ts';
import { plainValue } from '../../format/plain-value.ts';
import { checkTemplate, renderSingle } from '../../format/single.ts';
import { askStatus } from '../../monitor/status.ts';

/** `healthctl daemon status`: exit 1 if none runs, 4 if that is unknown. */
export const status: Command = {
  usage: '[OPTIONS]',
  description:
    'Show whether the monitor runs, and what it does. The exit status is 1 when it does not, and 4 when it cannot be asked.',
  options: [formatOption],
  args: { min: 0, max: 0 },
  run: (world, input) => showStatus(world, input),
};

async function showStatus(world: World, { options }: CommandInput): Promise<CommandResult> {
  const format = options.string('format');
  checkTemplate(format);
  const answer = await askStatus(world);
  if (answer.kind !== 'answered') throw answer.error;
  const { status } = answer;
  return { stdout: format ? renderSingle(plainValue(status), format) : textOf(status, world.clock.now()) };
}

function textOf(status: DaemonStatus, nowMs: number): string {
  const { lag } = status;
  const rows: readonly (readonly [string, string])[] = [
    ['Version', status.version],
    ['Process', `${status.pid}, up ${humanDuration(nowMs - Date.parse(status.startedAt)).toLowerCase()}`],
    ['Started by', status.isAutostarted ? 'a command; ends by itself when there is nothing to do' : 'you or systemd'],
    ['containerd', `${status.address}${status.isLive ? '' : ' (lost; retrying)'}`],
    ['Namespaces', status.namespaces.length === 0 ? 'all' : status.namespaces.join(', ')],
    ['Containers', containersText(status)],
    ...(status.troubled > 0
      ? ([['Trouble', `${status.troubled} cannot be checked or recorded, see "healthctl daemon logs"`]] as const)
      : []),
    ['Checks', `${status.checksMade} made, ${status.checksInFlight} in flight, ${status.checksWaiting} waiting`],
    [
      'Later than due',
      lag ? `median ${ms(lag.p50Ms)}, 99% under ${ms(lag.p99Ms)}, at most ${ms(lag.maxMs)}` : 'no check yet',
    ],
    ['Memory', humanSize(status.memoryBytes, 3)],
    ...(isShort(status) ? ([['Descriptors', descriptorsText(status)]] as const) : []),
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(16)}${printableLine(value)}\n`).join('');
}

function containersText({ containers, watched, unhealthy }: DaemonStatus): string {
  return `${containers}, ${watched} of them checked${unhealthy > 0 ? `, ${unhealthy} unhealthy` : ''}`;
}

/** Whether checks may be skipped for lack of descriptors. */
const isShort = ({ descriptors: { open, limit } }: DaemonStatus): boolean => limit - open < 2 * DESCRIPTOR_RESERVE;

function descriptorsText({ descriptors: { open, limit } }: DaemonStatus): string {
  const isExhausted = limit - open < DESCRIPTOR_RESERVE;
  return `${open} of ${limit} in use${isExhausted ? ': checks cannot be made' : ''}`;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
