import { join } from 'node:path';
import { daemonPathsOf } from '../../../daemon/daemon-paths.ts';
import { drainDaemon } from '../../../daemon/drain.ts';
import { NODE_FLAGS } from '../../../daemon/node-process.ts';
import { installedDockerSocket, installUnit } from '../../../daemon/service-unit/install.ts';
import {
  socketUnitNameOf,
  socketUnitTextOf,
  type UnitRequest,
  unitNameOf,
  unitTextOf,
} from '../../../daemon/service-unit/unit.ts';
import { HealthctlError } from '../../../lib/errors.ts';
import type { Settings } from '../../../lib/settings.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { dockerSocketOf, GIVEN_SOCKET } from '../../config/docker-settings.ts';
import { programOf } from '../../program.ts';

/** `healthctl daemon install`: the monitor as a service of systemd. Resolves when it is ready. */
export const install: Command = {
  usage: '[OPTIONS]',
  description:
    'Make systemd run the monitor, now and after each boot. One that is installed already is brought up to date.',
  options: [
    {
      name: 'docker-socket',
      type: 'string',
      value: '[path]',
      whenBare: '',
      help: "Serve Docker's Engine API on a socket of systemd, RUN_ROOT/docker.sock without a path; 'none': no longer",
      complete: { paths: 'file', words: ['none'] },
    },
    { name: 'print', type: 'bool', help: 'Print the units without installing them' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => installDaemon(world, input),
};

async function installDaemon(
  world: Pick<World, 'settings' | 'env' | 'clock' | 'signal'>,
  { options }: CommandInput,
): Promise<CommandResult> {
  const { settings } = world;
  const path = dockerSocketPath(settings, options.string('docker-socket'));
  const { socketGroup: group, dockerSocket, dockerTcp } = settings.monitor;
  const request: UnitRequest = {
    ...{
      settings,
      ...programOf(world, NODE_FLAGS),
      servesDocker: dockerSocket !== undefined || dockerTcp !== undefined,
    },
    dockerSocket: path === undefined ? undefined : { path, group },
  };
  if (options.bool('print')) return { stdout: textsOf(request) };
  const makeWay = () => drainDaemon(daemonPathsOf(settings), world);
  const names = await installUnit({ ...request, makeWay });
  return { stdout: names.map((name) => `${name}\n`).join('') };
}

/** One that is installed stays, unless the option names another one or none. Throws USAGE. */
function dockerSocketPath(settings: Settings, given: string | undefined): string | undefined {
  if (given === undefined) return installedDockerSocket(settings);
  if (given === 'none') return undefined;
  const path = dockerSocketOf(given === '' ? defaultPath(settings) : given);
  if (path !== GIVEN_SOCKET) return path;
  throw new HealthctlError(
    'USAGE',
    `--docker-socket must be a path: ${GIVEN_SOCKET} is what the unit passes to the monitor`,
  );
}

function defaultPath({ runRoot, monitor: { dockerSocket } }: Settings): string {
  return dockerSocket === undefined || dockerSocket === GIVEN_SOCKET ? join(runRoot, 'docker.sock') : dockerSocket;
}

function textsOf(request: UnitRequest): string {
  const { settings, dockerSocket } = request;
  const service = unitTextOf(request);
  if (!dockerSocket) return service;
  const socket = socketUnitTextOf(settings, dockerSocket);
  return `# ${unitNameOf(settings.address)}\n${service}\n# ${socketUnitNameOf(settings.address)}\n${socket}`;
}
