import type { ContainerContext } from '../container/context.ts';
import { type Explanation, explainContainer } from '../container/explain/explain.ts';
import { viewRecord } from '../container/resolve.ts';
import { type AdviceContext, adviceFor } from '../health/diagnosis/advice.ts';
import type { ContainerRef } from '../lib/container-key.ts';
import { hasCode } from '../lib/errors.ts';
import { printable, printableLine } from '../lib/printable.ts';
import type { Settings } from '../lib/settings.ts';
import type { ContainerView } from '../record/view.ts';
import type { ConfigAnswer } from './wire.ts';

export interface ConfigDeps {
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly settings: Settings;
  /** When the next check is due, wall time; undefined if none is. */
  readonly nextCheckMs: (ctx: ContainerContext, view: ContainerView) => Promise<number | undefined>;
}

/** The check of a container, where each field came from, and what is wrong: as `healthctl explain` says it. */
export async function configAnswerOf(
  { contextOf, settings, nextCheckMs }: ConfigDeps,
  { namespace, id }: ContainerRef,
  signal: AbortSignal,
): Promise<ConfigAnswer> {
  const ctx = contextOf(namespace);
  try {
    const view = await viewRecord(ctx, await ctx.containerd.containers.get(id, { signal }));
    const explanation = await explainContainer(ctx, view, { exec: settings.monitor.exec, signal });
    const program = ['healthctl', ...(namespace === 'default' ? [] : ['--namespace', namespace])];
    return {
      config: {
        fields: explanation.fields.map(({ key, text, origin }) => ({ key, text: printable(text), origin })),
        unchecked: explanation.verdict.kind === 'unchecked' ? printable(explanation.verdict.what) : '',
        nextCheckMs: (await nextCheckMs(ctx, view)) ?? null,
        advice: adviceOf(explanation, program),
      },
    };
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return { config: null };
    throw error;
  }
}

type Advice = NonNullable<ConfigAnswer['config']>['advice'][number];

function adviceOf({ verdict, view }: Explanation, program: readonly string[]): readonly Advice[] {
  if (verdict.kind === 'unchecked') return [{ what: verdict.what, remedy: verdict.remedy, command: '' }].map(shown);
  const context: AdviceContext = { config: verdict.config, name: view.name, program, sizeText };
  return verdict.findings.map((finding) => {
    const { what, remedy, command = '' } = adviceFor(finding, context);
    return shown({ what, remedy, command });
  });
}

const shown = ({ what, remedy, command }: Advice): Advice => ({
  ...{ what: printableLine(what), remedy: printableLine(remedy), command: printableLine(command) },
});

const sizeText = (bytes: number): string => `${Math.round(bytes / 2 ** 20)}MiB`;
