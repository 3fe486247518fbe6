import type { Outcome } from '../health/result.ts';
import type { Connection } from './visit.ts';

/** What a check ends with that could not connect: a refusal is an answer, a host without an address could not be asked at all. */
export function outcomeOfFailed(connection: Exclude<Connection, { kind: 'connected' }>): Outcome {
  switch (connection.kind) {
    case 'failed':
      return unhealthy(connection.reason);
    case 'unknown-host':
      return { kind: 'could-not-start', reason: connection.reason };
  }
}

export const healthy = (output: string): Outcome => ({ kind: 'exited', code: 0, output });

/** The answer was wrong, or there was none. */
export const unhealthy = (output: string): Outcome => ({ kind: 'exited', code: 1, output });
