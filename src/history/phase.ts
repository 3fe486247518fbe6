/** What a container is, seen from its health. */
export const PHASES = ['starting', 'healthy', 'unhealthy', 'paused', 'ended', 'stopped', 'unchecked', 'gone'] as const;
/**
 * `ended`: its process ended, and no user has stopped it. `stopped`: by a user. `unchecked`: it runs without a health
 * check, or no monitor ran. `gone`: removed.
 */
export type Phase = (typeof PHASES)[number];
