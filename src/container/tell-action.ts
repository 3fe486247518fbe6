import { type ContainerAction, publishAction } from '../events/own-events.ts';
import type { ContainerContext } from './context.ts';

/** Publishes what a user did with a container, in Docker's words. Never fails. */
export const tellAction = (
  { containerd, log }: Pick<ContainerContext, 'containerd' | 'log'>,
  action: ContainerAction,
): Promise<void> => publishAction({ events: containerd.events, log }, action);
