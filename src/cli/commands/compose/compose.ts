import { basename } from 'node:path';
import { replaceProcess } from '../../../system/replace-process.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput } from '../../command.ts';
import { composeEnvironment, findComposeProvider } from '../../compose-provider.ts';
import { configPathOf } from '../../config/config.ts';
import { ensureDockerHost, ownDockerSocket } from '../../monitor/docker-host.ts';

/** `healthctl compose`: Docker's compose, on the monitor. It takes our place, and its exit status is ours. */
export const compose: Command = {
  usage: '[ARG...]',
  description:
    "Run Docker's compose on containerd: the program docker-compose, or docker's plugin of that name, which you install yourself, with all arguments. It speaks to the monitor, which is started unless it runs.\nHelp of compose itself: healthctl compose help",
  options: [],
  args: { min: 0 },
  passesOptions: true,
  complete: [{ paths: 'file' }],
  run: (world, input) => runCompose(world, input),
};

type ComposeWorld = Pick<World, 'settings' | 'clock' | 'env' | 'signal' | 'log' | 'umask'>;

async function runCompose(world: ComposeWorld, { args }: CommandInput): Promise<never> {
  const { settings, env, umask } = world;
  const { composeProvider: configured } = settings;
  const file = findComposeProvider({ configured, env, configFile: configPathOf(env) });
  const host = needsMonitor(args) ? await ensureDockerHost(world) : `unix://${ownDockerSocket(settings)}`;
  replaceProcess({ file, argv: [basename(file), ...args], env: composeEnvironment(env, host), umask });
}

/** Commands that are answered without a daemon: to ask for a version starts nothing. */
const ALONE: readonly (string | undefined)[] = [undefined, 'help', 'version', '-v', '--version', 'completion'];

const needsMonitor = (args: readonly string[]): boolean =>
  !ALONE.includes(args[0]) && !args.includes('--help') && !args[0]?.startsWith('__complete');
