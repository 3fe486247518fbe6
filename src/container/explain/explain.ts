import { eventLogDir, readEventLog } from '../../events/event-log.ts';
import { formatDuration } from '../../go/duration.ts';
import { type CheckConfig, checkConfigOf, type GivenHealthConfig, isChecked } from '../../health/config.ts';
import { jsonFromHealthConfig } from '../../health/config-json.ts';
import { type DiagnosisFacts, diagnose, type Finding, type StartTaken } from '../../health/diagnosis/diagnose.ts';
import { FIELD_NAMES, type FieldName, HEALTH_FIELDS } from '../../health/fields.ts';
import { type Origin, originsOf } from '../../health/origins.ts';
import type { Result } from '../../health/result.ts';
import type { HealthState } from '../../health/state.ts';
import { LABELS } from '../../lib/labels.ts';
import type { MonitorSettings } from '../../lib/settings.ts';
import { specOf } from '../../record/details.ts';
import { recordedOriginsOf } from '../../record/health-labels.ts';
import { type ContainerView, healthConfigOf } from '../../record/view.ts';
import { listListeners } from '../../system/listeners.ts';
import type { ContainerContext } from '../context.ts';
import { readHealth } from '../health.ts';
import { wasOutOfMemory } from '../out-of-memory.ts';
import { readImageCheck } from './image-check.ts';
import { lastStarts, startsFrom } from './starts.ts';
import { type Unchecked, uncheckedFrom } from './unchecked.ts';

/** The explanation of a container's health. */
export interface Explanation {
  readonly view: ContainerView;
  /** Absent without a check, and for a container that was never started. */
  readonly state: HealthState | undefined;
  readonly fields: readonly ExplainedField[];
  /** The results of the present test, oldest first. */
  readonly log: readonly Result[];
  readonly verdict: Verdict;
}

export type Verdict =
  | { readonly kind: 'checked'; readonly config: CheckConfig; readonly findings: readonly Finding[] }
  | ({ readonly kind: 'unchecked' } & Unchecked);

/** A field of the effective config. */
export interface ExplainedField {
  /** Docker's key, or ours. */
  readonly key: string;
  /** As data, in the form of `inspect`. */
  readonly value: unknown;
  /** For people, e.g. `1m30s`. */
  readonly text: string;
  readonly origin: Origin;
}

/** Gathers the facts about a container, and explains its health. */
export async function explainContainer(
  ctx: ContainerContext,
  view: ContainerView,
  options: {
    readonly exec: MonitorSettings['exec'];
    /** Earlier starts, as far as a history knows them; without any, the last events tell. */
    readonly pastStarts?: readonly StartTaken[];
    readonly signal?: AbortSignal;
  },
): Promise<Explanation> {
  const { record } = view;
  const parsed = healthConfigOf(record.labels);
  const given = parsed.kind === 'config' ? parsed.config : undefined;
  const call = options.signal ? { signal: options.signal } : {};
  const [image, { state, log: whole }] = await Promise.all([
    readImageCheck(ctx.containerd, record, call),
    readHealth({ ...ctx, log: { ...ctx.log, warn: () => undefined } }, view), // the verdict says what is damaged
  ]);
  const config = given && checkConfigOf(given);
  const log = ofPresentTest(whole, record.labels);
  const fields = given ? fieldsOf(config ?? given, { labels: record.labels, image, exec: options.exec }) : [];
  const verdict: Verdict = config
    ? {
        kind: 'checked',
        config,
        findings: diagnose(factsOf(ctx, { view, config, state, log, pastStarts: options.pastStarts ?? [] })),
      }
    : { kind: 'unchecked', ...uncheckedFrom(parsed, image) };
  return { view, state, fields, log, verdict };
}

/** Results of an earlier test say nothing about the present one. */
function ofPresentTest(log: readonly Result[], labels: Readonly<Record<string, string>>): readonly Result[] {
  const sinceMs = Date.parse(labels[LABELS.testSince] ?? '');
  return Number.isNaN(sinceMs) ? log : log.filter(({ start }) => !(Date.parse(start) < sinceMs));
}

function factsOf(
  ctx: ContainerContext,
  of: {
    readonly view: ContainerView;
    readonly config: CheckConfig;
    readonly state: HealthState | undefined;
    readonly log: readonly Result[];
    readonly pastStarts: readonly StartTaken[];
  },
): DiagnosisFacts {
  const { view, config, state, log, pastStarts } = of;
  const pid = view.taskView.kind === 'running' ? view.task?.pid : undefined;
  const limit = Number(specOf(view.record)?.linux?.resources?.memory?.limit ?? 0);
  return {
    ...{ config, log, status: state?.status },
    listeners: pid === undefined ? undefined : listListeners(pid),
    memory: { isOut: wasOutOfMemory(view), limitBytes: limit > 0 ? limit : undefined },
    starts: lastStarts(pastStarts.length > 0 ? pastStarts : recentStarts(ctx, view.record.id)),
    runMs: pid === undefined || view.startedAtMs === undefined ? undefined : ctx.clock.now() - view.startedAtMs,
  };
}

function recentStarts(ctx: ContainerContext, id: string): readonly StartTaken[] {
  const { address, namespace } = ctx.containerd;
  const { events } = readEventLog(eventLogDir({ runRoot: ctx.dirs.runRoot, address }));
  return startsFrom(
    events.filter((event) => event.namespace === namespace),
    id,
  );
}

function fieldsOf(
  config: GivenHealthConfig,
  from: {
    readonly labels: Readonly<Record<string, string>>;
    readonly image: GivenHealthConfig | undefined;
    readonly exec: MonitorSettings['exec'];
  },
): readonly ExplainedField[] {
  const origins = originsOf({ config, recorded: recordedOriginsOf(from.labels), image: from.image });
  const json = jsonFromHealthConfig(config);
  const fields = FIELD_NAMES.flatMap((name): ExplainedField[] => {
    const origin = origins[name];
    if (origin === undefined) return [];
    const { key } = HEALTH_FIELDS[name];
    return [{ key, value: json[key] ?? config[name], text: textOf(name, config[name]), origin }];
  });
  if (!isChecked(config)) return fields;
  return [...fields, ...implied(config, from.exec)];
}

/** Fields that the config does not have, with the values that hold. */
function implied(config: GivenHealthConfig, exec: MonitorSettings['exec']): readonly ExplainedField[] {
  const [type = ''] = config.test ?? [];
  const isCommand = type === 'CMD' || type === 'CMD-SHELL';
  const origin = exec === 'fresh' ? 'default' : 'configuration';
  return [
    ...(config.onFailure === undefined
      ? [{ key: HEALTH_FIELDS.onFailure.key, value: 'none', text: 'none', origin: 'default' as const }]
      : []),
    ...(config.exec === undefined && isCommand
      ? [{ key: HEALTH_FIELDS.exec.key, value: exec, text: exec, origin: origin as Origin }]
      : []),
  ];
}

function textOf(name: FieldName, value: unknown): string {
  if (name.endsWith('Ns')) return formatDuration(BigInt(Math.round(Number(value))));
  return typeof value === 'object' ? JSON.stringify(value) : `${value}`;
}
