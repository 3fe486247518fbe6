import type { Outcome } from '../health/result.ts';
import { type CgroupLimits, pidsOf } from '../system/cgroup-pids.ts';

/**
 * Messages of shells, libc, Go, Java, Node.js and Python when the kernel refuses a new process (EAGAIN of fork and
 * clone).
 */
const REFUSED =
  /resource temporarily unavailable|can'?t fork|cannot fork|fork failed|EAGAIN|failed to create new OS thread|pthread_create|can't start new thread|unable to create (new )?(native )?thread/i;
/**
 * Number of processes that a check, or the runtime that started it, had besides the refused one: they are gone when the
 * limit is read.
 */
const GONE_BY_NOW = 8;

/**
 * Adds reason and remedy to an outcome that the container's limit on processes explains; returns any other outcome
 * unchanged.
 *
 * @param pid the container's first process
 */
export function explainPidsLimit(outcome: Outcome, pid: number, readPids: typeof pidsOf = pidsOf): Outcome {
  switch (outcome.kind) {
    case 'could-not-start': {
      const reason = reasonOf(readPids(pid), REFUSED.test(outcome.reason) ? GONE_BY_NOW : 1);
      return reason === undefined ? outcome : { ...outcome, reason: `${outcome.reason}\n${reason}` };
    }
    case 'exited': {
      const reason =
        outcome.code !== 0 && REFUSED.test(outcome.output) ? reasonOf(readPids(pid), GONE_BY_NOW) : undefined;
      return reason === undefined ? outcome : { ...outcome, output: `${outcome.output.trimEnd()}\n${reason}` };
    }
    case 'timed-out':
    case 'cancelled':
      return outcome;
  }
}

function reasonOf(pids: CgroupLimits | undefined, gone: number): string | undefined {
  if (!pids || pids.current + gone < pids.limit) return undefined;
  const zombies =
    pids.zombies > 0 ? `, ${pids.zombies} of them ended ones that its first process does not reap: use --init` : '';
  const instead = pids.zombies > 0 ? ', --health-reap' : ': use --health-reap if checks leave processes behind,';
  return `the container's limit of ${pids.limit} processes is reached${zombies}${instead} or a larger --pids-limit`;
}
