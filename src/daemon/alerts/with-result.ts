import type { StoredHealth } from '../../health/state.ts';
import type { ContainerRef } from '../../lib/container-key.ts';
import { messageOf } from '../../lib/errors.ts';
import { shownContainer } from '../../record/container-name.ts';
import type { AlertEvent } from './alert-event.ts';

export interface ResultDeps {
  /** The stored health of a container; undefined for one that is gone. */
  readonly healthOf: (ref: ContainerRef) => Promise<StoredHealth | undefined>;
  readonly log: { warn(text: string): void };
}

/**
 * Adds the last stored result to the event of a state that was found, and to one of an earlier monitor: the monitor has
 * no whole outputs in memory, and alerts.json has none. Never rejects.
 */
export function createResultAdder({ healthOf, log }: ResultDeps): (event: AlertEvent) => Promise<AlertEvent> {
  /** What is sent again has the same text. */
  const found = new WeakMap<AlertEvent, AlertEvent>();
  const find = async (event: AlertEvent): Promise<AlertEvent | undefined> => {
    try {
      const { state, log: results = [] } = (await healthOf(event)) ?? {};
      const last = results.at(-1);
      if (state?.status !== event.event || !last) return undefined; // it has changed meanwhile
      return { ...event, failingStreak: state.failingStreak, exitCode: last.exitCode, output: last.output };
    } catch (error) {
      log.warn(`container ${shownContainer(event)}: its stored health could not be read: ${messageOf(error)}`);
      return undefined;
    }
  };
  return async (event) => {
    if (event.output !== undefined || (event.event !== 'healthy' && event.event !== 'unhealthy')) return event;
    const known = found.get(event) ?? (await find(event));
    if (known) found.set(event, known);
    return known ?? { ...event, output: '' };
  };
}
