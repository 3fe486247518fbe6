import type { ExecMode, HealthConfig } from '../health/config.ts';
import { isNativeType } from '../health/native-test.ts';
import { createLimiter, type Limiter } from './limiter.ts';

/** What makes a check: each has a budget of its own, so that checks that hang hold up none of another kind. */
type Mechanism = 'fresh' | 'resident' | 'native';

export interface BudgetLimits {
  /** Commands that may be started in containers at the same moment: to start one is what costs. */
  readonly maxStarts: number;
  /** Checks in flight of each mechanism: to wait for one costs a few file descriptors. */
  readonly maxInFlight: number;
  /** How commands are run where a check does not say. */
  readonly exec: ExecMode;
}

/** Limits on the checks of a monitor. Who was due earlier goes first, in each of them. */
export interface Budgets {
  /** Held while a command is being started. */
  readonly starts: Limiter;
  /** Held for a whole check. */
  inFlightOf(config: Pick<HealthConfig, 'test' | 'exec'>): Limiter;
  readonly inFlight: number;
  /** Those that wait for any of the limits. */
  readonly waiting: number;
}

export function createBudgets({ maxStarts, maxInFlight, exec }: BudgetLimits): Budgets {
  const starts = createLimiter(maxStarts);
  const inFlight: Readonly<Record<Mechanism, Limiter>> = {
    fresh: createLimiter(maxInFlight),
    resident: createLimiter(maxInFlight),
    native: createLimiter(maxInFlight),
  };
  const all = Object.values(inFlight);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    starts,
    inFlightOf: (config) => inFlight[mechanismOf(config, exec)],
    get inFlight() {
      return sum(all.map(({ inUse }) => inUse)) - starts.waiting;
    },
    get waiting() {
      return sum(all.map(({ waiting }) => waiting)) + starts.waiting;
    },
  };
}

function mechanismOf({ test: [type = ''], exec }: Pick<HealthConfig, 'test' | 'exec'>, byDefault: ExecMode): Mechanism {
  return isNativeType(type) ? 'native' : (exec ?? byDefault);
}

/** Of the descriptors of a process, those left to everything but checks. */
const OTHER_DESCRIPTORS = 64;
/** What a check in flight holds at most: both ends of its pipes, a socket, a directory. */
const DESCRIPTORS_PER_CHECK = 6;
const MECHANISMS = 3;
/** More than that at once are of no use to a machine. */
const MOST_IN_FLIGHT = 4_096;

/** How many checks of each mechanism may be in flight, by the limit on open files: at least one. */
export function maxInFlightOf(descriptorLimit: number): number {
  const affordable = Math.floor((descriptorLimit - OTHER_DESCRIPTORS) / (DESCRIPTORS_PER_CHECK * MECHANISMS));
  return Math.max(1, Math.min(MOST_IN_FLIGHT, affordable));
}
