import { humanDuration } from './units.ts';

/** What the STATUS of a container is made of. Times are wall time in milliseconds. */
export interface StatusFacts {
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead';
  readonly nowMs: number;
  /** Of the present or last run. */
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  readonly exitCode?: number;
  /** When it will be restarted because it is unhealthy. */
  readonly nextRestartAtMs?: number;
  /** What is said was known before its shim fell silent. */
  readonly isStateUnknown?: boolean;
  /** Shown of a running container only. */
  readonly health?: 'none' | 'starting' | 'healthy' | 'unhealthy';
}

/** The STATUS column in Docker's words (moby daemon/container/state.go): `Up 2 minutes (healthy)`, `Exited (0) 3 seconds ago`. */
export function containerStatus(facts: StatusFacts): string {
  const status = `${knownStatus(facts)}${nextRestartText(facts)}`;
  return facts.isStateUnknown ? `${status} (state unknown)`.trimStart() : status;
}

/** Behind the words that other programs look for. */
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
      // Without a time there is nothing to say: Docker's text is empty too.
      return finishedAtMs === undefined ? '' : `Exited (${exitCode}) ${ended} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}
