import { type CheckReport, check, runningRun } from '../check/check.ts';
import { publishHealthStatus } from '../events/own-events.ts';
import { type CheckConfig, checkConfigOf, isChecked } from '../health/config.ts';
import { HealthctlError, hasCode } from '../lib/errors.ts';
import { createContainerProber } from '../probe/container-prober.ts';
import { processJsonOf } from '../probe/process-json.ts';
import { type ContainerView, healthConfigOf, momentOf, viewOf } from '../record/view.ts';
import type { ContainerContext } from './context.ts';
import { resolveContainer, viewRecord } from './resolve.ts';

/**
 * Makes and records one check now, for `container healthcheck` and `healthcheck run`.
 *
 * @throws NOT_FOUND, AMBIGUOUS; CONFLICT with nerdctl's texts if the container has no check or does not run
 */
export async function runHealthcheck(
  ctx: ContainerContext,
  nameOrId: string,
  signal?: AbortSignal,
): Promise<CheckReport> {
  const call = signal ? { signal } : {};
  const record = await resolveContainer(ctx.containerd, nameOrId, call);
  const subject = { namespace: ctx.containerd.namespace, id: record.id, labels: record.labels };
  const parsed = healthConfigOf(record.labels);
  if (parsed.kind !== 'config' || !isChecked(parsed.config)) {
    const { taskView: task, started } = await viewRecord(ctx, record, call);
    runningRun({ task, started }); // nerdctl checks the task first, then the health check
  }
  checkedConfigOf(record.labels);
  const look = async () => {
    const [now, task] = await Promise.all([
      ctx.containerd.containers.get(record.id),
      ctx.containerd.tasks.find(record.id),
    ]);
    return viewOf(now, task, momentOf(ctx.clock));
  };
  const describe = async () => checkSubjectOf(ctx.containerd.namespace, await look());
  const findTask = async () => (await look()).taskView;
  const prober = createContainerProber({
    ...{ tasks: ctx.containerd.tasks, clock: ctx.clock, log: ctx.log },
    ...{ exec: 'fresh', mayReside: false },
  });
  try {
    const report = await check({ clock: ctx.clock, store: ctx.store, prober, describe, findTask }, subject, signal);
    if (report.kind === 'recorded' && report.statusChanged)
      await publishHealthStatus(ctx.containerd.events, ctx.log, { id: record.id, ...report.state });
    return report;
  } catch (error) {
    // Removed while we waited for its lock: the wait recreated its directory, which has to go too.
    if (hasCode(error, 'NOT_FOUND')) await ctx.store.remove(subject);
    throw error;
  }
}

function checkSubjectOf(namespace: string, view: ContainerView) {
  const { id, labels } = view.record;
  return {
    namespace,
    id,
    labels,
    task: view.taskView,
    started: view.started,
    config: checkedConfigOf(labels),
    processJson: processJsonOf(view.record.specJson()),
  };
}

/** Throws CONFLICT with nerdctl's text for a container without a check, CONFIG for a damaged label. */
function checkedConfigOf(labels: Readonly<Record<string, string>>): CheckConfig {
  const parsed = healthConfigOf(labels);
  const config = parsed.kind === 'config' ? checkConfigOf(parsed.config) : undefined;
  if (config) return config;
  if (parsed.kind !== 'malformed') throw new HealthctlError('CONFLICT', 'container has no health check configured');
  throw new HealthctlError('CONFIG', `the label with the container's health check is damaged: ${parsed.reason}`, {
    hint: 'create the container again',
  });
}
