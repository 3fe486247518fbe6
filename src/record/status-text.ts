import { humanDuration } from '../go/units.ts';
import { type ShownHealth, statusWord } from './shown-health.ts';
import type { ContainerView } from './view.ts';

/** The facts for the STATUS column. Times are wall time in milliseconds. */
export interface StatusFacts {
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead';
  readonly nowMs: number;
  /** Of the present or last run. */
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  readonly exitCode?: number;
  /** Time of its restart because it is unhealthy. */
  readonly nextRestartAtMs?: number;
  /** These are the last known facts: its shim does not answer. */
  readonly isStateUnknown?: boolean;
  /** Shown of a running container only. */
  readonly health?: 'none' | 'starting' | 'healthy' | 'unhealthy';
}

/**
 * The STATUS column in Docker's words (moby daemon/container/state.go): `Up 2 minutes (healthy)`, `Exited (0) 3 seconds
 * ago`.
 */
export function containerStatus(facts: StatusFacts): string {
  const status = `${knownStatus(facts)}${nextRestartText(facts)}`;
  return facts.isStateUnknown ? `${status} (state unknown)`.trimStart() : status;
}

/** Comes last: other programs match the words before it. */
function nextRestartText({ state, nextRestartAtMs, nowMs }: StatusFacts): string {
  if (state !== 'running' || nextRestartAtMs === undefined) return '';
  return `, restart in ${humanDuration(Math.max(0, nextRestartAtMs - nowMs)).toLowerCase()}`;
}

function knownStatus({ state, nowMs, startedAtMs = nowMs, finishedAtMs, exitCode = 0, health }: StatusFacts): string {
  const up = `Up ${humanDuration(nowMs - startedAtMs)}`;
  const ended = humanDuration(nowMs - (finishedAtMs ?? nowMs));
  switch (state) {
    case 'created':
      return 'Created';
    case 'running':
      return health === undefined || health === 'none'
        ? up
        : `${up} (${health === 'starting' ? 'health: starting' : health})`;
    case 'paused':
      return `${up} (Paused)`;
    case 'restarting':
      return `Restarting (${exitCode}) ${ended} ago`;
    case 'exited':
      // Without a time there is no text, as in Docker.
      return finishedAtMs === undefined ? '' : `Exited (${exitCode}) ${ended} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}

/** The STATUS column of a container. Wall time in milliseconds. */
export function statusText(view: ContainerView, health: ShownHealth, nowMs: number): string {
  const { state, startedAtMs, exit, isStateUnknown = false, nextRestartAtMs } = view;
  // After a reboot the time of the end is unknown.
  if (exit && exit.atMs === undefined) return `Exited (${exit.code})`;
  return containerStatus({
    state,
    nowMs,
    isStateUnknown,
    health: statusWord(health),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(nextRestartAtMs === undefined ? {} : { nextRestartAtMs }),
    ...(exit?.atMs === undefined ? {} : { exitCode: exit.code, finishedAtMs: exit.atMs }),
  });
}
