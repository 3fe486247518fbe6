import { constants } from 'node:fs';
import { processOfRun } from '../health/state.ts';
import type { Clock } from '../lib/clock.ts';
import { hasCode } from '../lib/errors.ts';
import type { Supervisor } from '../monitor/duties/supervisor.ts';
import type { KnownContainer } from '../monitor/host-model.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { recordFromCompact } from '../record/compact-record.ts';
import { type MonitorNeeds, monitorNeedsOf } from '../record/monitor-needs.ts';
import { type FileLock, lockFile } from '../system/flock.ts';
import { isAlive, readStat } from '../system/proc.ts';
import type { ApiServer } from './api/server.ts';
import type { DaemonPaths } from './daemon-paths.ts';

/** Wait between two tests for work. */
const POLL_MS = 1_000;

export interface IdleDeps {
  readonly clock: Clock;
  readonly monitor: Pick<Monitor, 'isLive' | 'counts' | 'model'>;
  readonly supervisor: Pick<Supervisor, 'isBusy'>;
  readonly server: Pick<ApiServer, 'busy' | 'start' | 'stop'>;
  readonly paths: Pick<DaemonPaths, 'startLock'>;
  readonly idleTimeoutMs: number;
}

/**
 * Resolves after the idle timeout without work; the API accepts no more requests then. Also resolves when the signal
 * fires.
 *
 * A process that starts a monitor holds the start lock. The last test for work is made under this lock, so that no
 * client relies on a monitor that is about to end.
 */
export async function untilIdle(deps: IdleDeps, ended: AbortSignal): Promise<void> {
  const { clock, server, idleTimeoutMs } = deps;
  let idleSinceMs = clock.monotonic();
  while (!ended.aborted) {
    await clock.sleep(Math.min(POLL_MS, idleTimeoutMs), ended);
    if (hasWork(deps) || server.busy > 0) idleSinceMs = clock.monotonic();
    if (ended.aborted || clock.monotonic() - idleSinceMs < idleTimeoutMs) continue;
    const starting = await tryStartLock(deps);
    if (!starting) continue; // a process is about to need us
    await server.stop();
    starting.release();
    if (!hasWork(deps)) return;
    await server.start();
  }
}

async function tryStartLock({ paths, clock }: IdleDeps): Promise<FileLock | undefined> {
  const request = { path: paths.startLock, flags: constants.O_RDWR | constants.O_CREAT, timeoutMs: 0 };
  try {
    return await lockFile(request, clock);
  } catch (error) {
    if (hasCode(error, 'TIMEOUT')) return undefined;
    throw error;
  }
}

/**
 * Without containerd: work exists as long as a process of its containers lives, which will be checked once containerd
 * is back.
 */
function hasWork({ monitor, supervisor }: IdleDeps): boolean {
  if (!monitor.isLive) return [...monitor.model.all()].some(isProcessAlive);
  return supervisor.isBusy || isNeeded(monitor);
}

function isProcessAlive({ run }: KnownContainer): boolean {
  const named = run && processOfRun(run.id);
  const stat = named && readStat(named.pid);
  return isAlive(stat) && stat?.startTimeTicks === named?.startTimeTicks;
}

/** Checks count by their workers: if nerdctl's timers make them, no monitor is needed. */
const needsWhileItRuns = ({ removal, restart, logLimit, jsonLog, names }: MonitorNeeds): boolean =>
  removal || restart || logLimit || jsonLog || names;

/** A container with a check, a limited log, names to ask for, or a removal or restart at its end. */
function isNeeded({ counts, model }: IdleDeps['monitor']): boolean {
  if (counts().checked > 0) return true;
  return [...model.all()].some(
    (container) => container.run !== undefined && needsWhileItRuns(monitorNeedsOf(recordFromCompact(container.record))),
  );
}
