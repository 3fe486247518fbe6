import type { ListedContainer } from '../container/list.ts';
import { humanDuration } from '../go/units.ts';
import { type GivenHealthConfig, isChecked, withDefaults } from '../health/config.ts';
import { isOverdue } from '../health/overdue.ts';
import { endMsOf, type HealthState, type Instant, isOfRun, testedForMs } from '../health/state.ts';
import type { ContainerDocument } from '../record/document.ts';

/** The facts about the age of a running, checked container's health. */
export interface HealthAge {
  readonly name: string;
  readonly config: GivenHealthConfig;
  /** Results count from this time on. */
  readonly fromMs: number;
  /** The end of the last check since then. */
  readonly lastEndMs: number | undefined;
  /** Whether there was a check since then, even if its result is lost. */
  readonly wasChecked: boolean;
}

/** Undefined for a container that does not run, or has no check. */
export function healthAgeOf({ view, health }: ListedContainer, instant: Instant): HealthAge | undefined {
  const { config, log, state } = health;
  const { taskView, name } = view;
  if (view.state !== 'running' || taskView.kind !== 'running' || !config || !isChecked(config)) return undefined;
  const last = isOfRun(health, taskView.run) ? log.at(-1) : undefined;
  return {
    ...{ name, config },
    fromMs: instant.nowMs - testedForMs(taskView.run, instant),
    lastEndMs: last && endMsOf(last, instant),
    // A start writes `starting` with the new run into the mirror.
    wasChecked: last !== undefined || (state?.run !== undefined && !isFresh(state)),
  };
}

/** The state right after a start, before the first check. */
const isFresh = ({ status, failingStreak, inStartPeriod }: HealthState): boolean =>
  status === 'starting' && failingStreak === 0 && !inStartPeriod;

/**
 * Like `healthAgeOf`, for a document by the monitor.
 * @param startedBootMsOf when a process was started, on the boot clock; undefined if it is gone
 */
export function healthAgeOfDocument(
  { Name, State, Config }: ContainerDocument,
  { nowMs, bootMs }: Instant,
  startedBootMsOf: (pid: number) => number | undefined,
): HealthAge | undefined {
  const { Healthcheck: check } = Config;
  if (State.Status !== 'running' || !check || !State.Health) return undefined;
  const { Test: test = [], Interval, Timeout, StartPeriod, StartInterval } = check;
  const timings = { intervalNs: Interval, timeoutNs: Timeout, startPeriodNs: StartPeriod };
  const config = { test, ...timings, startIntervalNs: StartInterval };
  if (!isChecked(config)) return undefined;
  const startedMs = Date.parse(State.StartedAt);
  const last = State.Health.Log.at(-1);
  const isOfPresent = last !== undefined && Date.parse(last.Start) >= startedMs;
  const startedBootMs = startedBootMsOf(State.Pid);
  const fromMs = startedBootMs === undefined ? startedMs : nowMs - Math.max(0, bootMs - startedBootMs);
  return {
    ...{ name: Name.replace(/^\//, ''), config, fromMs },
    lastEndMs: isOfPresent ? Date.parse(last.End) : undefined,
    wasChecked: isOfPresent || State.Health.Status !== 'starting',
  };
}

/**
 * The one warning after health output: its age and the reason, while no monitor makes the checks; or an overdue check,
 * while a monitor or timers do. Undefined if there is nothing to warn about.
 */
export function staleHealthWarning(
  shown: readonly HealthAge[],
  { nowMs, whyUnmonitored }: { readonly nowMs: number; readonly whyUnmonitored: string | undefined },
): string | undefined {
  return whyUnmonitored === undefined ? overdueWarning(shown, nowMs) : unmonitoredWarning(shown, nowMs, whyUnmonitored);
}

function unmonitoredWarning(shown: readonly HealthAge[], nowMs: number, why: string): string | undefined {
  if (shown.length === 0) return undefined;
  const ends = shown.flatMap(({ lastEndMs }) => lastEndMs ?? []);
  if (ends.length === 0)
    return shown.some(({ wasChecked }) => wasChecked)
      ? `${why}, and the time of the last check is unknown: its result was lost`
      : `${why}, and no check was made since the start`;
  const which = shown.length === 1 ? 'the last check' : 'the last checks, the newest';
  return `${why}: health is as of ${which} ${ago(nowMs - Math.max(...ends))}`;
}

/** Whatever the reason: no descriptors, a full run root, a stopped monitor. */
function overdueWarning(shown: readonly HealthAge[], nowMs: number): string | undefined {
  // After the wall clock was set forward, an age may exceed that of the run, which is measured on the boot clock.
  const sinceOf = ({ lastEndMs, fromMs }: HealthAge): number => Math.max(lastEndMs ?? fromMs, fromMs);
  const overdue = shown
    .filter((age) => isOverdue(withDefaults(age.config), { fromMs: sinceOf(age), nowMs }))
    .sort((a, b) => sinceOf(a) - sinceOf(b));
  const [oldest] = overdue;
  if (!oldest) return undefined;
  const which =
    overdue.length === 1
      ? `container ${oldest.name} was not checked when it was due`
      : `${overdue.length} containers were not checked when they were due, ${oldest.name} for the longest time`;
  const asOf =
    oldest.lastEndMs === undefined
      ? `no check was kept since its start ${ago(nowMs - oldest.fromMs)}`
      : `health is as of the last check ${ago(nowMs - oldest.lastEndMs)}`;
  return `${which}: ${asOf}; see "healthctl daemon status"`;
}

const ago = (ms: number): string => `${humanDuration(ms).toLowerCase()} ago`;
