import type { ContainerContext } from '../container/context.ts';
import { explainContainer } from '../container/explain/explain.ts';
import type { StartTaken } from '../health/diagnosis/diagnose.ts';
import { spansOf, startsOf } from '../history/timeline.ts';
import { keyOf } from '../lib/container-key.ts';
import { hasCode } from '../lib/errors.ts';
import type { ContainerView } from '../record/view.ts';
import { DEFAULTS } from './config/config.ts';
import type { ContainerWorld } from './context.ts';
import type { Explained } from './format/explanation.ts';
import { findChecker, nextCheckOf } from './monitor/who-checks.ts';
import { openPast } from './past.ts';

/** Explains a container's health, with who checks it and when. */
export async function explainedOf(
  world: ContainerWorld,
  ctx: ContainerContext,
  view: ContainerView,
): Promise<Explained> {
  const { settings, signal, clock } = world;
  const pastStarts = await pastStartsOf(world, keyOf({ namespace: settings.namespace, id: view.record.id }));
  const explanation = await explainContainer(ctx, view, { exec: settings.monitor.exec, pastStarts, signal });
  const checker = await findChecker(world, ctx, view);
  return {
    ...{ explanation, checker, nowMs: clock.now(), program: programOf(settings) },
    nextCheckAtMs: await nextCheckOf(world, ctx, { view, checker }),
  };
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
