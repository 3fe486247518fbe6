import type { OnFailure } from '../../health/config.ts';
import { isToRestart, type RestartPolicy } from '../../health/restart-policy.ts';
import { LABELS } from '../../lib/labels.ts';
import { isStoppedByUser, restartPolicyOf } from '../../record/restart-label.ts';
import { type RestartRecord, readRestarts } from '../../record/restart-record.ts';
import { givenHealthConfigOf, runIdOf } from '../../record/view.ts';
import { readBootId, readStat } from '../../system/proc.ts';
import type { ContainerContext } from '../context.ts';

/** How a container reached a bad state, e.g. for a command that waits for its health. */
export type BadEnd =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly atMs: number }
  | { readonly kind: 'unhealthy' };

/** The facts that decide whether a container that exited or is unhealthy will be started again. */
export interface ComebackFacts {
  readonly end: BadEnd;
  readonly policy: RestartPolicy;
  readonly onFailure: OnFailure;
  /** 0: no limit. */
  readonly maxRestarts: number;
  /** From the record of its stop. */
  readonly stopped: 'no' | 'for good' | 'to be started again';
  readonly record: RestartRecord;
  readonly nowMs: number;
}

/** Who will start a container again: the monitor, if there is one; a command that has stopped it; nobody. */
export type Comeback = 'monitor' | 'command' | 'nobody';

/** How long a restart in progress may take before it counts as failed. */
const RESTART_LIMIT_MS = 30_000;
/** The exit code of a process killed by the kernel, as by the action `kill`. */
const KILLED = 137;

/**
 * Pure. The monitor's rules (src/monitor/duties/supervisor.ts), seen from outside: a restart may already be in
 * progress.
 */
export function comebackOf(facts: ComebackFacts): Comeback {
  const { end, policy, stopped, record, onFailure, maxRestarts } = facts;
  if (stopped === 'to be started again') return 'command';
  if (stopped === 'for good') return 'nobody';
  const { count: restarts, streak, isPending } = record;
  const byPolicy = (exitCode: number) => isToRestart({ policy, exitCode, isStoppedByUser: false, restarts });
  const isWanted = end.kind === 'exited' ? byPolicy(end.exitCode) || isBegun(facts, end.atMs) : isHealed();
  return isPending || isWanted ? 'monitor' : 'nobody';

  function isHealed(): boolean {
    if (onFailure === 'restart') return maxRestarts === 0 || streak < maxRestarts;
    return onFailure === 'kill' && byPolicy(KILLED);
  }
}

/** The last restart of `on-failure:1` is counted before the start. */
function isBegun({ record, nowMs }: ComebackFacts, exitedAtMs: number): boolean {
  return record.count > 0 && record.atMs >= exitedAtMs && nowMs - record.atMs < RESTART_LIMIT_MS;
}

/** Whether, and by whom, a container with these labels will be started again. */
export function findComeback(
  { dirs, containerd, clock }: Pick<ContainerContext, 'dirs' | 'containerd' | 'clock'>,
  { id, labels }: { readonly id: string; readonly labels: Readonly<Record<string, string>> },
  end: BadEnd,
): Comeback {
  const { onFailure = 'none', maxRestarts = 0 } = givenHealthConfigOf(labels) ?? {};
  const record = readRestarts({ dirs, namespace: containerd.namespace }, id);
  const [policy, stopped] = [restartPolicyOf(labels), stoppedOf(labels)];
  return comebackOf({ end, policy, onFailure, maxRestarts, stopped, record, nowMs: clock.now() });
}

const RESTARTED_BY = ' restarted by ';

/** The record of a stop after which this process starts the container again: valid while the process lives. */
export function restartNote(at: string): string {
  const stat = readStat(process.pid);
  return stat ? `${at}${RESTARTED_BY}${runIdOf(readBootId(), stat)}` : at;
}

function stoppedOf(labels: Readonly<Record<string, string>>): ComebackFacts['stopped'] {
  if (!isStoppedByUser(labels)) return 'no';
  const runId = (labels[LABELS.stopped] ?? '').split(RESTARTED_BY)[1];
  return runId !== undefined && isAliveRun(runId) ? 'to be started again' : 'for good';
}

function isAliveRun(runId: string): boolean {
  const stat = readStat(Number(runId.split(':')[1]));
  return stat !== undefined && runIdOf(readBootId(), stat) === runId;
}
