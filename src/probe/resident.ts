import { startStopwatch } from '../lib/clock.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { hasPauseNote, sweepExecs } from './check-execs.ts';
import { type ExecProberOptions, passGate, START_LIMIT_MS } from './exec.ts';
import type { ExecCommand, ProbeReport, Prober, ProbeTarget } from './prober.ts';
import type { openResidentShell, ResidentShell } from './resident-shell.ts';

/** After this many replaced shells in a row, a container is checked by fresh execs until its next run. */
const MAX_FAULTS = 3;

export interface ResidentProberOptions extends ExecProberOptions {
  /** Makes the checks that a shell cannot make. */
  readonly fresh: Prober<ExecCommand>;
  readonly open: typeof openResidentShell;
  /** Whether the shell stays for the next check. If not, it is used to end what a check leaves behind. */
  readonly stays: (target: ProbeTarget) => boolean;
  readonly log: Logger;
}

export interface ResidentProber extends Prober<ExecCommand> {
  /** Ends the shell of a container, if it has one. */
  release(containerId: string): Promise<void>;
  close(): Promise<void>;
}

/** The state of a container's shell. */
interface Residence {
  /** The run and command that the shell is for: it cannot serve another pair. */
  readonly key: string;
  shell: ResidentShell | undefined;
  /** Broken turns in a row. */
  faults: number;
}

interface Job {
  readonly target: ProbeTarget;
  readonly items: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes `/bin/sh -c` checks by a shell that stays in the container and forks for each check, which saves an exec, a
 * call of the shim and a runc each time. An untrusted result is checked again by a fresh exec, and the shell is
 * replaced.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export function createResidentProber(options: ResidentProberOptions): ResidentProber {
  const { fresh, clock, log, open } = options;
  const residences = new Map<string, Residence>();

  const residenceOf = async (target: ProbeTarget, command: ExecCommand): Promise<Residence> => {
    const { containerId, runId, reap } = target;
    const key = JSON.stringify([runId, command.args, reap]);
    const known = residences.get(containerId);
    if (known?.key === key) return known;
    await release(containerId);
    const residence: Residence = { key, shell: undefined, faults: 0 };
    residences.set(containerId, residence);
    return residence;
  };
  const release = async (containerId: string): Promise<void> => {
    const shell = residences.get(containerId)?.shell;
    residences.delete(containerId);
    await shell?.close();
  };
  /** Undefined if the signal fires before there is a shell. */
  const shellOf = async (residence: Residence, { target, items, signal }: Job): Promise<ResidentShell | undefined> => {
    if (residence.shell?.isUsable) return residence.shell;
    await residence.shell?.close();
    residence.shell = undefined;
    await sweepExecs(options, target, { residents: true });
    const onStarted = await passGate(options.starts, signal);
    if (!onStarted) return undefined;
    try {
      residence.shell = await open({ ...options, startLimitMs: START_LIMIT_MS }, target, items);
    } finally {
      onStarted();
    }
    return residence.shell;
  };

  const closeShell = async (residence: Residence): Promise<void> => {
    await residence.shell?.close();
    residence.shell = undefined;
  };

  /** Undefined: the result cannot be trusted. */
  const tryShell = async (residence: Residence, job: Job): Promise<ProbeReport | undefined> => {
    const { target, signal } = job;
    const fault = (reason: string): undefined => {
      residence.faults += 1;
      log.debug(`container ${target.containerId}: its resident shell is not used: ${reason}`);
      return undefined;
    };
    let shell: ResidentShell | undefined;
    try {
      shell = await shellOf(residence, job);
    } catch (error) {
      if (hasCode(error, 'UNAVAILABLE', 'DENIED', 'EXHAUSTED')) throw error;
      return fault(messageOf(error));
    }
    const { startMs, endMs: endOfTurn } = startStopwatch(clock);
    if (!shell) return { outcome: { kind: 'cancelled' }, startMs, endMs: startMs };
    const turn = await shell.check({ timeoutNs: target.timeoutNs, signal });
    const endMs = endOfTurn();
    if (!shell.isUsable) await shell.close();
    if (turn.kind === 'broken') return fault(turn.reason);
    residence.faults = 0;
    return { outcome: turn.outcome, startMs, endMs };
  };

  return {
    release,
    close: async () => {
      await Promise.all([...residences.keys()].map(release));
    },
    probe: async (target, command, signal) => {
      const items = shellItemsOf(command);
      if (!items || signal?.aborted) return fresh.probe(target, command, signal);
      const residence = await residenceOf(target, command);
      if (residence.faults >= MAX_FAULTS) return fresh.probe(target, command, signal);
      const report = await tryShell(residence, { target, items, signal }).finally(() =>
        options.stays(target) ? undefined : closeShell(residence),
      );
      if (report) return report;
      // A shell that a pause ended has no fault: another exec would be frozen during its creation.
      if (!hasPauseNote(target.scratchDir)) return fresh.probe(target, command, signal);
      residence.faults = 0;
      const nowMs = clock.now();
      return { outcome: { kind: 'cancelled' }, startMs: nowMs, endMs: nowMs };
    },
  };
}

/** The arguments after `/bin/sh -c`; undefined for another command. */
function shellItemsOf({ args }: ExecCommand): readonly string[] | undefined {
  const [program, option, ...items] = args;
  return program === '/bin/sh' && option === '-c' && items.length > 0 ? items : undefined;
}
