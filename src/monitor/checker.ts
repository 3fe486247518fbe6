import { type CheckReport, type CheckSubject, check } from '../check/check.ts';
import type { ContainerContext } from '../container/context.ts';
import type { TaskView } from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { keyOf } from '../lib/container-key.ts';
import { HealthctlError } from '../lib/errors.ts';
import type { ContainerProber } from '../probe/container-prober.ts';
import { recordFromCompact } from '../record/compact-record.ts';
import { type Moment, runOfTask, viewFrom } from '../record/view.ts';
import type { HostModel, KnownContainer } from './host-model.ts';
import { subjectOf } from './known-container.ts';

export interface CheckerDeps {
  readonly model: HostModel;
  readonly contextOf: (namespace: string) => ContainerContext;
  readonly clock: Clock;
  readonly momentOf: () => Moment;
  readonly proberOf: (context: ContainerContext) => ContainerProber;
}

/** Makes a check of a container that the monitor knows, using known facts instead of asking containerd. */
export interface Checker {
  check(container: KnownContainer, signal: AbortSignal): Promise<CheckReport>;
  /** Ends processes that stay in a container between its checks. */
  release(container: { readonly namespace: string; readonly id: string }): Promise<void>;
  /** Ends processes that stay in any container. */
  close(): Promise<void>;
}

export function createChecker({ model, contextOf, clock, momentOf, proberOf }: CheckerDeps): Checker {
  const probers = new Map<string, ContainerProber>();
  const proberFor = (context: ContainerContext): ContainerProber => {
    const { namespace } = context.containerd;
    const prober = probers.get(namespace) ?? proberOf(context);
    probers.set(namespace, prober);
    return prober;
  };

  const describe = (key: string): CheckSubject => {
    const container = model.get(key);
    if (!container) throw new HealthctlError('NOT_FOUND', `container ${key} is gone`);
    if (!container.config) throw new HealthctlError('CONFLICT', 'container has no health check configured');
    const { record, task, run, config, processJson } = container;
    const { taskView, started } = viewFrom({ record: recordFromCompact(record), task, run });
    return { ...subjectOf(container), task: taskView, started, config, processJson };
  };
  const findTask = async (context: ContainerContext, { id, record }: KnownContainer): Promise<TaskView> => {
    const task = await context.containerd.tasks.find(id);
    const run = runOfTask(record.labels, task, momentOf());
    return viewFrom({ record: recordFromCompact(record), task, run }).taskView;
  };

  return {
    release: async ({ namespace, id }) => probers.get(namespace)?.release(id),
    close: async () => {
      await Promise.all([...probers.values()].map((prober) => prober.close()));
    },
    check: (container, signal) => {
      const context = contextOf(container.namespace);
      const deps = {
        ...{ clock, store: context.store, prober: proberFor(context) },
        describe: async () => describe(keyOf(container)),
        findTask: () => findTask(context, container),
      };
      return check(deps, subjectOf(container), signal);
    },
  };
}
