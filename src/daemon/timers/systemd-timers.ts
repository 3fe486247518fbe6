import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { isNameTaken, isNotLoaded, type Systemd, TRANSIENT_UNITS } from '../../system/systemd.ts';
import { leadMsOf, type TimerPhase, type TimerPlan } from './timer-plan.ts';

export interface TimerSubject {
  readonly namespace: string;
  readonly id: string;
}

export interface TimerDeps {
  readonly systemd: Systemd;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Distinguishes the timers of one containerd from those of another. */
  readonly hostId: string;
  /** The command of one check, without the arguments that `checkArguments` adds. */
  readonly command: readonly string[];
  /** Environment of a check's process. */
  readonly environment: Readonly<Record<string, string>>;
  /** systemd's directory of transient units. Default /run/systemd/transient. */
  readonly unitDir?: string;
}

/**
 * A transient systemd timer for each checked container, instead of a monitor. A container has at most one timer; its
 * name shows whether the start period applies.
 *
 * Timers disappear with a reboot, like the runs of containers. A timer whose container was ended or removed by another
 * tool is removed at its next check.
 */
export interface Timers {
  /**
   * Creates the timer of the plan, and replaces any other of the container. A check of that in flight is cancelled
   * first.
   */
  ensureTimer(subject: TimerSubject, plan: TimerPlan): Promise<void>;
  /** Removes the container's timer, and cancels its check in flight. It is no error if there is none. */
  removeTimer(subject: TimerSubject): Promise<void>;
  /** Like `ensureTimer`, called by the check that the timer of this phase started, which continues. */
  replaceOwnTimer(subject: TimerSubject, own: TimerPhase, plan: TimerPlan): Promise<void>;
  removeOwnTimer(subject: TimerSubject, own: TimerPhase): Promise<void>;
  /** Removes all timers of this containerd except those of these containers. @returns how many */
  sweepTimers(existing: readonly TimerSubject[]): Promise<number>;
}

/** systemd unloads an ended unit with a delay; until then its name is in use. */
const UNLOAD_TRIES = 100;
const UNLOAD_LOOK_MS = 20;
const PHASES: readonly TimerPhase[] = ['starting', 'regular'];

export function createTimers(deps: TimerDeps): Timers {
  const { systemd, hostId, unitDir = TRANSIENT_UNITS } = deps;
  const isLoaded = (unit: string) => existsSync(join(unitDir, unit));
  const unitsOf = (subject: TimerSubject, phases: readonly TimerPhase[]) => {
    const names = phases.map((phase) => timerNameOf(hostId, subject, phase));
    // Timers first, so that they do not start a service again.
    return [...names.map((name) => `${name}.timer`), ...names.map((name) => `${name}.service`)];
  };
  const removeUnits = (units: readonly string[]) => stopUnits(systemd, units.filter(isLoaded));
  const timers: Timers = {
    ensureTimer: async (subject, plan) => {
      await timers.removeTimer(subject);
      await startTimer(deps, subject, plan);
    },
    removeTimer: (subject) => removeUnits(unitsOf(subject, PHASES)),
    replaceOwnTimer: async (subject, own, plan) => {
      if (plan.phase === own) return;
      await removeUnits(unitsOf(subject, [plan.phase]));
      await startTimer(deps, subject, plan);
      await timers.removeOwnTimer(subject, own);
    },
    removeOwnTimer: (subject, own) => removeUnits([`${timerNameOf(hostId, subject, own)}.timer`]),
    sweepTimers: async (existing) => {
      const kept = new Set(existing.flatMap((subject) => unitsOf(subject, PHASES)));
      const left = listTimerUnits(hostId, unitDir).filter((unit) => !kept.has(unit));
      await stopUnits(systemd, left);
      return new Set(left.map((unit) => unit.replace(/\.[a-z]+$/, ''))).size;
    },
  };
  return timers;
}

/**
 * `healthctl-check-<host>-<namespace>-<id>`, and `-starting` for the timer of the start period: unique to each
 * container.
 */
export function timerNameOf(hostId: string, { namespace, id }: TimerSubject, phase: TimerPhase): string {
  const suffix = phase === 'starting' ? '-starting' : '';
  const name = `${namePrefix(hostId)}${escapePart(namespace)}-${escapePart(id)}`;
  if (name.length <= MAX_NAME) return `${name}${suffix}`;
  return `${namePrefix(hostId)}${sha256Hex(`${namespace}/${id}`)}${suffix}`;
}

/** systemd allows 255 characters, with `.service` and our own suffix. */
const MAX_NAME = 235;

function namePrefix(hostId: string): string {
  return `healthctl-check-${hostId}-`;
}

/** Escapes like systemd-escape(1): a dash would separate parts. */
function escapePart(text: string): string {
  return [...Buffer.from(text)]
    .map((byte, index) => {
      const character = String.fromCharCode(byte);
      const isPlain = /[A-Za-z0-9:_.]/.test(character) && !(index === 0 && character === '.');
      return isPlain ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/** The arguments after `daemon check-once`. */
export function checkArguments({ id }: TimerSubject, { phase, dueMs }: TimerPlan): readonly string[] {
  return ['--phase', phase, '--not-before', `${Math.round(dueMs)}`, id];
}

/** The arguments of systemd-run for a timer that repeats a check. */
export function timerArguments(
  deps: Pick<TimerDeps, 'hostId' | 'command' | 'environment'>,
  subject: TimerSubject,
  plan: TimerPlan & { readonly nowMs: number },
): readonly string[] {
  const leadMs = leadMsOf(plan.waitMs);
  const command = [...deps.command, ...checkArguments(subject, plan)];
  return [
    '--quiet',
    '--collect',
    `--unit=${timerNameOf(deps.hostId, subject, plan.phase)}`,
    `--description=Health check of container ${subject.namespace}/${subject.id}`,
    `--on-active=${spanOf(plan.dueMs - leadMs - plan.nowMs)}`,
    `--on-unit-inactive=${spanOf(plan.waitMs - leadMs)}`,
    // The default is a minute.
    '--timer-property=AccuracySec=10ms',
    '--timer-property=RemainAfterElapse=no',
    '--service-type=oneshot',
    // A short interval is no crash loop.
    '--property=StartLimitIntervalSec=0',
    // Otherwise systemd logs three lines for each check.
    '--property=LogLevelMax=notice',
    '--property=StandardOutput=null',
    '--property=SyslogIdentifier=healthctl',
    '--property=TimeoutStopSec=10',
    // A cancelled check has not failed.
    '--property=SuccessExitStatus=143 SIGTERM',
    ...Object.entries(deps.environment).map(([name, value]) => `--setenv=${name}=${value}`),
    '--',
    ...command.map((word) => word.replaceAll('$', '$$$$')),
  ];
}

/** Never zero: systemd treats the zero of a repeated span as unset. */
function spanOf(ms: number): string {
  return `${Math.max(1, Math.round(ms * 1000))}us`;
}

async function startTimer(deps: TimerDeps, subject: TimerSubject, plan: TimerPlan): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await deps.systemd.run('systemd-run', timerArguments(deps, subject, { ...plan, nowMs: deps.clock.now() }));
      return;
    } catch (error) {
      if (!isNameTaken(error) || tries === UNLOAD_TRIES) throw error;
      await deps.clock.sleep(UNLOAD_LOOK_MS);
    }
  }
}

async function stopUnits(systemd: Systemd, units: readonly string[]): Promise<void> {
  if (units.length === 0) return;
  await systemd.run('systemctl', ['stop', ...units]).catch((error: unknown) => {
    // Gone since the files were listed.
    if (!isNotLoaded(error)) throw error;
  });
}

/** The units of all timers of a containerd, from the files of transient units, without starting a process. */
export function listTimerUnits(hostId: string, unitDir: string = TRANSIENT_UNITS): readonly string[] {
  if (!existsSync(unitDir)) return [];
  return readdirSync(unitDir)
    .filter((unit) => unit.startsWith(namePrefix(hostId)) && /\.(timer|service)$/.test(unit))
    .sort((a, b) => Number(b.endsWith('.timer')) - Number(a.endsWith('.timer')));
}
