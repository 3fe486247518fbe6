import { HealthctlError } from '../../../lib/errors.ts';
import { planUninstall, textOfStep } from '../../../uninstall/plan.ts';
import { checkRoot } from '../../../uninstall/roots.ts';
import { surveyHost, type UninstallContext } from '../../../uninstall/survey.ts';
import { refuseRunning, uninstall as uninstallAll } from '../../../uninstall/uninstall.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { configPathOf } from '../../config/config.ts';
import { confirm } from '../../confirm.ts';
import { openContainers } from '../../context.ts';

/** `healthctl uninstall`: before the program itself is removed. */
export const uninstall: Command = {
  usage: '[OPTIONS]',
  description:
    'Remove what healthctl made on this host: monitor, unit, directories, bridges and rules of the\nfirewall. Volumes, output and records of containers stay, unless --purge is given.',
  options: [
    { name: 'dry-run', type: 'bool', help: 'List what would be removed and what would stay, and change nothing' },
    { name: 'force', short: 'f', type: 'bool', help: 'Do not prompt for confirmation, and stop containers that run' },
    { name: 'purge', type: 'bool', help: 'Remove containers, their output, volumes and networks too' },
  ],
  args: { min: 0, max: 0 },
  run: (world, input) => runUninstall(world, input),
};

type UninstallWorld = Pick<World, 'settings' | 'clock' | 'log' | 'signal' | 'streams' | 'env' | 'containerd'>;

async function runUninstall(world: UninstallWorld, { options }: CommandInput): Promise<CommandResult> {
  const { settings } = world;
  checkRoot(settings.runRoot, '--run-root');
  checkRoot(settings.dataRoot, '--data-root');
  if (process.getuid?.() !== 0) throw new HealthctlError('DENIED', 'uninstall needs root');
  const ctx = contextFrom(world);
  const survey = await surveyHost(ctx);
  const plan = planUninstall(survey, { isPurge: options.bool('purge') });
  const kept = (verb: string) => section(verb, plan.kept);
  const texts = plan.steps.map(textOfStep);
  if (options.bool('dry-run')) return { stdout: `${section('Would be removed:', texts)}${kept('Would stay:')}` };
  const isForced = options.bool('force');
  const warning = refuseRunning(survey, { isForced });
  if (plan.steps.length > 0 && !isForced) {
    const isWanted = await confirm(
      world,
      `${section('WARNING! This will remove:', texts)}${kept('This will stay:')}`.trimEnd(),
    );
    if (!isWanted) return {};
  }
  const done: string[] = [];
  const errors: Error[] = [];
  try {
    await uninstallAll(ctx, plan, (step) => done.push(textOfStep(step)));
  } catch (error) {
    if (!(error instanceof HealthctlError)) throw error;
    errors.push(error);
  }
  return {
    stdout: `${section('Removed:', done)}${kept('Kept:')}`,
    errors,
    warnings: warning === undefined ? [] : [warning],
  };
}

function contextFrom(world: UninstallWorld): UninstallContext {
  const { settings, clock, log, signal, env } = world;
  return {
    ...{ settings, clock, log, signal, configFile: configPathOf(env) },
    contextOf: async (namespace) => {
      const containerd = (await world.containerd()).inNamespace(namespace);
      return openContainers({ ...world, containerd: async () => containerd });
    },
  };
}

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${(lines.length > 0 ? lines : ['nothing']).map((line) => `  ${line}\n`).join('')}`;
}
