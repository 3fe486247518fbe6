import { listContainers } from '../../../container/list.ts';
import type { DoctorContext, HostContainer } from '../../../doctor/context.ts';
import { examineHost } from '../../../doctor/examine.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { openContainers, worldIn } from '../../context.ts';
import { formatOption } from '../../flags/format.ts';
import { doctorLines, doctorValue } from '../../format/doctor.ts';
import { checkTemplate, renderSingle } from '../../format/single.ts';
import { askStatus } from '../../monitor/status.ts';

/** `healthctl doctor`: works without containerd, and changes nothing. */
export const doctor: Command = {
  usage: '[OPTIONS]',
  description:
    'Look for what keeps healthctl from working on this host, and say what to do. The exit status is 1 if there is an\nerror, and 0 if there are at most warnings.',
  options: [formatOption],
  args: { min: 0, max: 0 },
  run: (world, input) => runDoctor(world, input),
};

async function runDoctor(world: World, { options }: CommandInput): Promise<CommandResult> {
  const format = options.string('format');
  checkTemplate(format);
  const findings = await examineHost(contextFrom(world));
  return {
    stdout: format ? renderSingle(doctorValue(findings), format) : doctorLines(findings),
    exitCode: findings.some(({ status }) => status === 'error') ? 1 : 0,
  };
}

function contextFrom(world: World): DoctorContext {
  const { settings, clock, signal, env } = world;
  // What is damaged in a container is no matter of the host: `ps` says it.
  const silent = { ...world, log: { ...world.log, warn: () => undefined } };
  let found: Promise<readonly HostContainer[]> | undefined;
  return {
    ...{ settings, clock, signal, path: env.PATH ?? '' },
    contextOf: (namespace) => openContainers(worldIn(silent, namespace)),
    askMonitor: () => askStatus(world),
    containers: () => {
      found ??= allContainers(silent);
      return found;
    },
  };
}

async function allContainers(world: World): Promise<readonly HostContainer[]> {
  const { signal } = world;
  const namespaces = await (await world.containerd()).host.namespaces({ signal });
  const lists = await Promise.all(
    namespaces.map(async (namespace) => {
      const listed = await listContainers(await openContainers(worldIn(world, namespace)), { signal });
      return listed.map((container) => ({ ...container, namespace }));
    }),
  );
  return lists.flat();
}
