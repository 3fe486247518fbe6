import { HealthctlError } from '../lib/errors.ts';

export const RESTART_POLICY_NAMES = ['no', 'always', 'unless-stopped', 'on-failure'] as const;

/** When to restart a container that has ended. Docker: api/types/container RestartPolicy. */
export interface RestartPolicy {
  readonly name: (typeof RESTART_POLICY_NAMES)[number];
  /** For `on-failure`; 0: no limit. */
  readonly maximumRetryCount: number;
}

export const NO_RESTART: RestartPolicy = { name: 'no', maximumRetryCount: 0 };

/**
 * Parses `always`, `on-failure:3` and the like. Empty is `no`.
 *
 * Throws INVALID with the texts of docker/cli (opts/parse.go ParseRestartPolicy) and moby (api/types/container
 * ValidateRestartPolicy).
 */
export function parseRestartPolicy(text: string): RestartPolicy {
  if (text === '') return NO_RESTART;
  const [word = '', ...rest] = text.split(':');
  const retries = rest.join(':');
  if (word === '' && rest.length > 0) throw invalid('invalid restart policy format: no policy provided before colon');
  if (retries !== '' && !/^[+-]?\d{1,15}$/.test(retries))
    throw invalid('invalid restart policy format: maximum retry count must be an integer');
  const maximumRetryCount = Number(retries);
  const name = RESTART_POLICY_NAMES.find((known) => known === word);
  if (name === undefined)
    throw invalid(
      `invalid restart policy: unknown policy '${word}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (name !== 'on-failure' && maximumRetryCount !== 0)
    throw invalid(
      `invalid restart policy: maximum retry count can only be used with 'on-failure'${maximumRetryCount < 0 ? ' and cannot be negative' : ''}`,
    );
  if (maximumRetryCount < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
  return { name, maximumRetryCount };
}

/** The inverse of `parseRestartPolicy`. */
export function restartPolicyText({ name, maximumRetryCount }: RestartPolicy): string {
  return maximumRetryCount > 0 ? `${name}:${maximumRetryCount}` : name;
}

/** The facts that decide whether to restart a container that has ended. */
export interface Ending {
  readonly policy: RestartPolicy;
  readonly exitCode: number;
  readonly isStoppedByUser: boolean;
  /** Number of restarts since a user started it. */
  readonly restarts: number;
}

/**
 * Docker: restartmanager/restartmanager.go ShouldRestart; but `always` also keeps a container stopped when the monitor
 * restarts (see docs/auto-healing.md).
 */
export function isToRestart({ policy, exitCode, isStoppedByUser, restarts }: Ending): boolean {
  if (isStoppedByUser) return false;
  switch (policy.name) {
    case 'no':
      return false;
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.maximumRetryCount === 0 || restarts < policy.maximumRetryCount);
  }
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 300_000;
/** After this long in good health, the delays start from the shortest again. */
export const SETTLED_AFTER_MS = 600_000;

/**
 * Wait before the next restart: 1 s, doubled with each restart up to 5 min.
 * @param streak restarts since the container was last well for long
 */
export function restartDelayMs(streak: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** Math.min(streak, 30), LONGEST_DELAY_MS);
}

function invalid(message: string): HealthctlError {
  return new HealthctlError('INVALID', message);
}
