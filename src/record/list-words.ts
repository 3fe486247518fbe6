import { HEALTH_STATUSES } from '../health/state.ts';

// The words of `ps --filter`, apart from the code that matches them: the command line names them before it loads that.

/** Docker: api/types/container/state.go. */
export const CONTAINER_STATES: readonly string[] = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
];
export const HEALTH_WORDS: readonly string[] = ['none', ...HEALTH_STATUSES];
