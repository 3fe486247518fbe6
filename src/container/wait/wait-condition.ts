import type { HealthStatus } from '../../health/state.ts';
import type { ContainerState } from '../../record/view.ts';

/** Docker's three, then Podman's. `stopped` is `exited`. */
export const WAIT_CONDITIONS = [
  'not-running',
  'next-exit',
  'removed',
  'healthy',
  'unhealthy',
  'running',
  'paused',
  'exited',
  'stopped',
  'created',
] as const;
export type WaitCondition = (typeof WAIT_CONDITIONS)[number];

/** The known facts about a container during a wait. */
export interface Seen {
  readonly state: ContainerState | 'removed';
  /** For a running or paused container with a check. */
  readonly health: HealthStatus | undefined;
  /** Pid of the main process, while there is one. */
  readonly pid: number | undefined;
  /** The last known exit. */
  readonly exit: { readonly code: number; readonly atMs: number } | undefined;
  /** Whether it exited since the wait began. */
  readonly hasExited: boolean;
}

export type Verdict =
  | { readonly kind: 'pending' }
  | { readonly kind: 'reached'; readonly condition: WaitCondition }
  /** None of the conditions can be reached any more. @see reason follows the container's name */
  | { readonly kind: 'impossible'; readonly reason: string };

export const isAboutHealth = (condition: WaitCondition): condition is 'healthy' | 'unhealthy' =>
  condition === 'healthy' || condition === 'unhealthy';

/** Whether a condition is about the container's end, so that an exit code is returned. */
export function isAboutEnd(condition: WaitCondition): boolean {
  return ['not-running', 'next-exit', 'removed', 'exited', 'stopped'].includes(condition);
}

/** The first condition that holds. Impossible only if no condition can be reached. */
export function judge(conditions: readonly WaitCondition[], seen: Seen): Verdict {
  const condition = conditions.find((wanted) => holds(wanted, seen));
  if (condition !== undefined) return { kind: 'reached', condition };
  const reasons = conditions.map((wanted) => lostReason(wanted, seen));
  const [reason] = reasons;
  if (reason === undefined || reasons.includes(undefined)) return { kind: 'pending' };
  return { kind: 'impossible', reason };
}

function holds(condition: WaitCondition, { state, health, hasExited }: Seen): boolean {
  const isLive = state === 'running' || state === 'paused';
  switch (condition) {
    case 'not-running':
      return !isLive;
    case 'next-exit':
      return hasExited || state === 'removed';
    case 'removed':
      return state === 'removed';
    case 'healthy':
    case 'unhealthy':
      return isLive && health === condition;
    case 'exited':
    case 'stopped':
      return state === 'exited' || state === 'removed';
    case 'running':
    case 'paused':
    case 'created':
      return state === condition;
  }
}

/** Why a condition can no longer be reached; undefined while it can. A container never started may still reach it. */
function lostReason(condition: WaitCondition, { state, exit, hasExited }: Seen): string | undefined {
  if (state === 'removed' && hasExited && exit) return `exited (${exit.code}) before it was ${condition}`;
  if (state === 'removed') return `was removed before it was ${condition}`;
  if (condition === 'created') return 'was started already';
  return isAboutHealth(condition) && state === 'exited'
    ? `exited (${exit?.code ?? 0}) before it was ${condition}`
    : undefined;
}
