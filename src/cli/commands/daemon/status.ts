import type { DaemonStatus } from '../../../daemon/api/answers.ts';
import { createDaemonClient, type DaemonClient } from '../../../daemon/api/client.ts';
import { REQUESTS } from '../../../daemon/api/requests.ts';
import { daemonPathsOf } from '../../../daemon/daemon-paths.ts';
import { DESCRIPTOR_RESERVE } from '../../../daemon/descriptor-reserve.ts';
import {
  brokenMonitorError,
  deniedMonitorError,
  lockHolderOf,
  newerMonitorError,
  silentMonitorError,
  UNKNOWN_STATUS,
  unreadableMonitorError,
} from '../../../daemon/lock-holder.ts';
import { conflictWith, findClaimHolder } from '../../../daemon/monitor-claim.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { printableLine } from '../../../lib/printable.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { FORMAT } from '../../flags/values.ts';
import { plainValue } from '../../format/plain-value.ts';
import { checkTemplate, renderSingle } from '../../format/single.ts';
import { humanDuration, humanSize } from '../../format/units.ts';

/** `healthctl daemon status`: exit 1 if none runs, 4 if that is unknown. */
export const status: Command = {
  usage: '[OPTIONS]',
  description:
    'Show whether the monitor runs, and what it does. The exit status is 1 when it does not, and 4 when it cannot be asked.',
  options: [
    { name: 'format', short: 'f', type: 'string', help: "Format output: 'json', or a Go template", complete: FORMAT },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => showStatus(world, input),
};

async function showStatus(world: World, { options }: CommandInput): Promise<CommandResult> {
  const { settings, clock, signal } = world;
  const format = options.string('format');
  checkTemplate(format);
  const paths = daemonPathsOf(settings);
  const client = createDaemonClient(paths.apiSocket);
  const answer = await client.ask(REQUESTS.status, signal);
  if (!answer) throw await whyUnanswered(world, client);
  const { value } = answer;
  return { stdout: format ? renderSingle(plainValue(value), format) : textOf(value, clock.now()) };
}

/** The error for a monitor that could not be asked, or for none. */
async function whyUnanswered({ settings, clock }: World, client: DaemonClient): Promise<HealthctlError> {
  const paths = daemonPathsOf(settings);
  const { address, namespace, runRoot } = settings;
  const { unanswered = { kind: 'absent' } } = client;
  switch (unanswered.kind) {
    case 'silent':
      return silentMonitorError(paths);
    case 'denied':
      return deniedMonitorError(paths);
    case 'cut-off':
      return brokenMonitorError(paths);
    case 'unreadable':
      return unreadableMonitorError(paths);
    case 'refused':
      return new HealthctlError('UNAVAILABLE', unanswered.message, {
        hint: `see who asks process ${lockHolderOf(paths)}: ss -xp`,
        exitCode: UNKNOWN_STATUS,
      });
    case 'other-version':
      return newerMonitorError(paths);
    case 'absent': {
      const owner = await findClaimHolder({ address, namespace }, clock);
      if (owner && owner.runRoot !== runRoot) return conflictWith(owner, address);
      return new HealthctlError('UNAVAILABLE', `no monitor of containerd at ${address} runs`, {
        hint: 'start it with "healthctl daemon start", or install it with "healthctl daemon install"',
      });
    }
  }
}

function textOf(told: DaemonStatus, nowMs: number): string {
  const { lag } = told;
  const rows: readonly (readonly [string, string])[] = [
    ['Version', told.version],
    ['Process', `${told.pid}, up ${humanDuration(nowMs - Date.parse(told.startedAt)).toLowerCase()}`],
    ['Started by', told.isAutostarted ? 'a command; ends by itself when there is nothing to do' : 'you or systemd'],
    ['containerd', `${told.address}${told.isLive ? '' : ' (lost; retrying)'}`],
    ['Namespaces', told.namespaces.length === 0 ? 'all' : told.namespaces.join(', ')],
    ['Containers', containersText(told)],
    ...(told.troubled > 0
      ? ([['Trouble', `${told.troubled} cannot be checked or recorded, see "healthctl daemon logs"`]] as const)
      : []),
    ['Checks', `${told.checksMade} made, ${told.checksInFlight} in flight, ${told.checksWaiting} waiting`],
    [
      'Later than due',
      lag ? `median ${ms(lag.p50Ms)}, 99% under ${ms(lag.p99Ms)}, at most ${ms(lag.maxMs)}` : 'no check yet',
    ],
    ['Memory', humanSize(told.memoryBytes, 3)],
    ...(isShort(told) ? ([['Descriptors', descriptorsText(told)]] as const) : []),
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
