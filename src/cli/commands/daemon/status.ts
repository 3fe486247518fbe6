import type { DaemonStatus } from '../../../daemon/api.ts';
import { createDaemonClient } from '../../../daemon/client.ts';
import { silentMonitorError } from '../../../daemon/owner.ts';
import { daemonPlacesOf } from '../../../daemon/places.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import { printableLine } from '../../../lib/printable.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { plainValue } from '../../format/plain-value.ts';
import { checkTemplate, renderSingle } from '../../format/single.ts';
import { humanDuration, humanSize } from '../../format/units.ts';

/** `healthctl daemon status`: exit 1 when none runs. */
export const status: Command = {
  usage: '[OPTIONS]',
  description: 'Tell whether the monitor runs, and what it does. The exit status is 1 when it does not.',
  options: [{ name: 'format', short: 'f', type: 'string', help: "Format output: 'json', or a Go template" }],
  args: { min: 0, max: 0 },
  run: (world, input) => showStatus(world, input),
};

async function showStatus(world: World, { options }: CommandInput): Promise<CommandResult> {
  const { settings, clock, signal } = world;
  const format = options.string('format');
  checkTemplate(format);
  const places = daemonPlacesOf(settings);
  const client = createDaemonClient(places.apiSocket);
  const answer = await client.ask('GET', '/daemon', signal);
  if (client.isSilent) throw silentMonitorError(places);
  if (!answer)
    throw new HealthctlError('UNAVAILABLE', `no monitor of containerd at ${settings.address} runs`, {
      hint: 'start it with "healthctl daemon start", or install it with "healthctl daemon install"',
    });
  const told = answer.value as DaemonStatus;
  return { stdout: format ? renderSingle(plainValue(told), format) : textOf(told, clock.now()) };
}

function textOf(told: DaemonStatus, nowMs: number): string {
  const { lag } = told;
  const rows: readonly (readonly [string, string])[] = [
    ['Version', told.version],
    ['Process', `${told.pid}, up ${humanDuration(nowMs - Date.parse(told.startedAt)).toLowerCase()}`],
    ['Started by', told.isAutostarted ? 'a command; ends by itself when there is nothing to do' : 'hand or systemd'],
    ['containerd', `${told.address}${told.isLive ? '' : ' (lost, and tried again)'}`],
    ['Namespaces', told.namespaces.length === 0 ? 'all' : told.namespaces.join(', ')],
    ['Containers', `${told.containers}, ${told.watched} of them checked`],
    ...(told.troubled > 0
      ? ([['Trouble', `${told.troubled} cannot be checked or recorded, see "healthctl daemon logs"`]] as const)
      : []),
    ['Checks', `${told.checksMade} made, ${told.checksInFlight} in flight, ${told.checksWaiting} waiting`],
    [
      'Later than due',
      lag ? `median ${ms(lag.p50Ms)}, 99% under ${ms(lag.p99Ms)}, at most ${ms(lag.maxMs)}` : 'no check yet',
    ],
    ['Memory', humanSize(told.memoryBytes, 3)],
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(16)}${printableLine(value)}\n`).join('');
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
