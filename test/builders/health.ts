import { type CheckConfig, checkKindOf, type HealthConfig } from '../../src/health/config.ts';
import { type Result, rfc3339FromMillis } from '../../src/health/result.ts';
import type { ScheduleFacts } from '../../src/health/schedule.ts';
import type { HealthState, Run } from '../../src/health/state.ts';

/** The time at which the runs of tests start. */
export const T0 = Date.parse('2026-01-01T00:00:00Z');

export const aRun = (over: Partial<Run> = {}): Run => ({ id: 'boot:100:5000', startedAtMs: T0, ...over });

export const aState = (over: Partial<HealthState> = {}): HealthState => ({
  status: 'healthy',
  failingStreak: 0,
  inStartPeriod: false,
  run: aRun().id,
  ...over,
});

/** A result whose check started `atMs` after T0. */
export const aResult = (atMs = 1000, exitCode = 0, output = ''): Result => ({
  start: rfc3339FromMillis(T0 + atMs),
  end: rfc3339FromMillis(T0 + atMs + 10),
  exitCode,
  output,
});

export const aConfig = (over: Partial<HealthConfig> = {}): CheckConfig => ({
  test: ['CMD-SHELL', 'true'],
  kind: checkKindOf(over.test ?? ['CMD-SHELL', 'true']),
  intervalNs: 30e9,
  timeoutNs: 30e9,
  startPeriodNs: 0,
  startIntervalNs: 5e9,
  retries: 3,
  ...over,
});

export type GivenSchedule = Partial<Omit<ScheduleFacts, 'config'>> & { readonly config?: Partial<HealthConfig> };

/** The schedule of a container that has just started and is checked every 30 s. */
export const aSchedule = ({ config, ...over }: GivenSchedule = {}): ScheduleFacts => ({
  fromMs: 0,
  graceFromMs: 0,
  status: 'starting',
  ...over,
  config: aConfig(config),
});
