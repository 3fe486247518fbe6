import { explainContainer } from '../../../container/explain/explain.ts';
import { resolveView } from '../../../container/resolve.ts';
import type { StartTaken } from '../../../health/diagnosis/diagnose.ts';
import { spansOf, startsOf } from '../../../history/timeline.ts';
import { keyOf } from '../../../lib/container-key.ts';
import { hasCode } from '../../../lib/errors.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { DEFAULTS } from '../../config/config.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { CONTAINER, FORMAT } from '../../flags/values.ts';
import { explanationPage, explanationValue } from '../../format/explanation.ts';
import { checkTemplate, renderSingle } from '../../format/single.ts';
import { findChecker, nextCheckOf } from '../../monitor/who-checks.ts';
import { openPast } from '../../past.ts';

/** `healthctl explain`: exit 0 whatever the health is. */
export const explain: Command = {
  usage: '[OPTIONS] CONTAINER',
  description:
    'Explain the health of a container: what is checked, where each setting came from, who makes the\nchecks, why the last ones failed, and what to do.',
  options: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      help: "Format output using a custom template: 'json', or a Go template",
      complete: FORMAT,
    },
  ],
  args: { min: 1, max: 1 },
  complete: [CONTAINER],
  run: (world, input) => runExplain(world, input),
};

async function runExplain(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const format = options.string('format');
  checkTemplate(format);
  const { settings, signal, clock } = world;
  const ctx = await openContainers(world);
  const view = await resolveView(ctx, args[0] ?? '', { signal });
  const pastStarts = await pastStartsOf(world, keyOf({ namespace: settings.namespace, id: view.record.id }));
  const explanation = await explainContainer(ctx, view, { exec: settings.monitor.exec, pastStarts, signal });
  const checker = await findChecker(world, ctx, view);
  const explained = {
    ...{ explanation, checker, nowMs: clock.now(), program: programOf(settings) },
    nextCheckAtMs: await nextCheckOf(world, ctx, { view, checker }),
  };
  return { stdout: format ? renderSingle(explanationValue(explained), format) : explanationPage(explained) };
}

/** The starts that the history knows; none without a history. */
async function pastStartsOf(world: ContainerWorld, key: string): Promise<readonly StartTaken[]> {
  try {
    const { containers } = await openPast(world);
    const { changes = [] } = containers.find((one) => one.key === key) ?? {};
    return startsOf(spansOf(changes, world.clock.now()));
  } catch (error) {
    if (!hasCode(error, 'NOT_FOUND', 'DENIED')) throw error;
    return [];
  }
}

/** The beginning of command lines that reach the same container, also without the environment of this call. */
function programOf(settings: ContainerWorld['settings']): readonly string[] {
  const flags = FLAGS.filter(([name]) => settings[name] !== DEFAULTS[name]);
  return ['healthctl', ...flags.flatMap(([name, flag]) => [flag, settings[name]])];
}

const FLAGS = [
  ['address', '--address'],
  ['namespace', '--namespace'],
  ['runRoot', '--run-root'],
  ['dataRoot', '--data-root'],
] as const;
