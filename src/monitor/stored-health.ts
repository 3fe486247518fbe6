import type { CheckReport } from '../check/check.ts';
import type { ContainerContext } from '../container/context.ts';
import { type HealthStatus, isOfRun, type StoredHealth } from '../health/state.ts';
import { keyOf } from '../lib/container-key.ts';
import type { MonitorHooks } from './hooks.ts';
import type { HostModel, KnownContainer } from './host-model.ts';
import { knownHealthOf, subjectOf } from './known-container.ts';

/**
 * Reads the stored health of containers, and announces each result once, also those that other processes wrote.
 *
 * INVARIANT: `onResult` and `onStatus` are called once for each result, in order. A result of ours is announced by its
 * own check, one of nerdctl's when it is read.
 */
export interface StoredHealthReader {
  /** The run whose results are announced from now on. Its results stored so far were already announced. */
  begin(container: KnownContainer, runId: string, status: HealthStatus): void;
  /** Nothing is announced for the container until the next `begin`. */
  end(key: string): void;
  /**
   * Reads the stored health, and announces a result by nerdctl.
   *
   * @param options.writesMirror also writes the mirror label, if it is outdated
   * @returns the status now; undefined for a container without a check
   */
  read(key: string, options: { readonly writesMirror: boolean }): Promise<HealthStatus | undefined>;
  /** Announces the result of a check of ours. */
  recorded(
    container: KnownContainer,
    report: Extract<CheckReport, { kind: 'recorded' }>,
    lagMs: number | undefined,
  ): void;
}

/** The last announced result of a run, and the status after it. */
interface Announced {
  readonly runId: string;
  /** Undefined before the first one. */
  readonly start: string | undefined;
  readonly status: HealthStatus;
}

export function createStoredHealthReader(deps: {
  readonly model: HostModel;
  readonly contextOf: (namespace: string) => Pick<ContainerContext, 'store'>;
  readonly hooks: Pick<MonitorHooks, 'onResult' | 'onStatus' | 'onChange'>;
}): StoredHealthReader {
  const { model, contextOf, hooks } = deps;
  const announced = new Map<string, Announced>();

  const announceForeign = (container: KnownContainer, { state, log }: StoredHealth): void => {
    const key = keyOf(container);
    const [before, result, { run }] = [announced.get(key), log.at(-1), container];
    if (!before || !run || before.runId !== run.id || !result || result.start === before.start) return;
    if (!state || state.run !== undefined || !isOfRun({ state, log }, run)) return;
    announced.set(key, { runId: run.id, start: result.start, status: state.status });
    hooks.onResult(container, { state, result, lagMs: undefined });
    if (state.status !== before.status) hooks.onStatus(container, state, result);
  };

  return {
    begin: (container, runId, status) => {
      announced.set(keyOf(container), { runId, start: container.stored.log.at(-1)?.start, status });
    },
    end: (key) => void announced.delete(key),
    read: async (key, { writesMirror }) => {
      const container = model.get(key);
      if (!container?.config) return undefined;
      const { store } = contextOf(container.namespace);
      const subject = subjectOf(container);
      const { retries } = container.config;
      const stored = writesMirror
        ? await store.update(subject, () => undefined, { retries })
        : await store.get(subject);
      model.remember(key, stored);
      const known = model.get(key);
      if (known) announceForeign(known, stored);
      hooks.onChange(key);
      return known && knownHealthOf(known)?.status;
    },
    recorded: (container, { state, result, statusChanged }, lagMs) => {
      const key = keyOf(container);
      if (container.run) announced.set(key, { runId: container.run.id, start: result.start, status: state.status });
      model.remember(key, { log: [result], state });
      hooks.onResult(container, { state, result, lagMs });
      if (statusChanged) hooks.onStatus(container, state, result);
      hooks.onChange(key);
    },
  };
}
