import type { Outcome } from '../health/result.ts';
import type { Connection } from './network-session.ts';

/**
 * The outcome of a check that could not connect: a refusal is an answer; a host without an address could not be asked.
 */
export function outcomeOfFailed(connection: Exclude<Connection, { kind: 'connected' }>): Outcome {
  switch (connection.kind) {
    case 'failed':
      return unhealthy(connection.reason);
    case 'unknown-host':
      return { kind: 'could-not-start', reason: connection.reason };
  }
}

export const healthy = (output: string): Outcome => ({ kind: 'exited', code: 0, output });

/** For a wrong answer or none. */
export const unhealthy = (output: string): Outcome => ({ kind: 'exited', code: 1, output });
