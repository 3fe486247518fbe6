import type { ExecMode, HealthConfig } from '../health/config.ts';
import { isNativeType } from '../health/native-test.ts';
import { createLimiter, type Limiter } from './limiter.ts';

/** The mechanism of a check. Each has its own budget, so that hanging checks delay none of another mechanism. */
type Mechanism = 'fresh' | 'resident' | 'native';

export interface BudgetLimits {
  /** Number of commands that may be started in containers at the same moment: the start is the expensive part. */
  readonly maxStarts: number;
  /** Number of checks in flight per mechanism: waiting for one costs a few file descriptors. */
  readonly maxInFlight: number;
  /** How to run commands of checks that do not name a mode. */
  readonly exec: ExecMode;
}

/** Limits on the checks of a monitor. Each serves the check that was due first. */
export interface Budgets {
  /** Held during the start of a command. */
  readonly starts: Limiter;
  /** Held for a whole check. */
  inFlightOf(config: Pick<HealthConfig, 'test' | 'exec'>): Limiter;
  readonly inFlight: number;
  /** Number of checks that wait for any of the limits. */
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

/** File descriptors of the process reserved for other uses. */
const OTHER_DESCRIPTORS = 64;
/** The most descriptors that a check in flight uses: both ends of its pipes, a socket, a directory. */
const DESCRIPTORS_PER_CHECK = 6;
const MECHANISMS = 3;
/** No machine benefits from more. */
const MOST_IN_FLIGHT = 4_096;

/** Number of checks of each mechanism that may be in flight, from the limit on open files: at least one. */
export function maxInFlightOf(descriptorLimit: number): number {
  const affordable = Math.floor((descriptorLimit - OTHER_DESCRIPTORS) / (DESCRIPTORS_PER_CHECK * MECHANISMS));
  return Math.max(1, Math.min(MOST_IN_FLIGHT, affordable));
}
