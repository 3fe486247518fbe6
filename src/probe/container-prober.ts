import type { ExecMode } from '../health/config.ts';
import type { NativeTest } from '../health/native-test.ts';
import { processOfRun } from '../health/state.ts';
import { createExecProber, type ExecProberOptions } from './exec.ts';
import { explainPidsLimit } from './pids-limit.ts';
import type { Prober, ProbeTarget } from './prober.ts';
import type { ResidentProber } from './resident.ts';

export interface ContainerProberOptions extends ExecProberOptions {
  /** How to run commands of checks that do not name a mode. */
  readonly exec: ExecMode;
  /** Whether this process lives long enough for resident shells; otherwise every exec is fresh. */
  readonly mayReside: boolean;
}

/** A prober that may leave processes in a container between two checks. */
export interface ContainerProber extends Prober {
  /** Ends the processes that it left in one container. */
  release(containerId: string): Promise<void>;
  /** Ends the processes that it left in any container. */
  close(): Promise<void>;
}

/** Probes with the mechanism of the check. Rarely used mechanisms are loaded with the first check that needs them. */
export function createContainerProber(options: ContainerProberOptions): ContainerProber {
  const fresh = createExecProber(options);
  const stays = (target: ProbeTarget): boolean => options.mayReside && (target.exec ?? options.exec) === 'resident';
  let native: Promise<Prober<NativeTest>> | undefined;
  let resident: Promise<ResidentProber> | undefined;
  const loadNative = async () => (await import('./native.ts')).createNativeProber(options);
  const loadResident = async () => {
    const [{ createResidentProber }, { openResidentShell: open }] = await Promise.all([
      import('./resident.ts'),
      import('./resident-shell.ts'),
    ]);
    return createResidentProber({ ...options, fresh, open, stays });
  };
  const probe: Prober['probe'] = async (target, command, signal) => {
    if (command.kind !== 'exec') {
      native ??= loadNative();
      return (await native).probe(target, command, signal);
    }
    if (!stays(target) && !target.reap) return fresh.probe(target, command, signal);
    resident ??= loadResident();
    return (await resident).probe(target, command, signal);
  };
  return {
    probe: async (target, command, signal) => {
      const report = await probe(target, command, signal);
      const pid = command.kind === 'exec' ? processOfRun(target.runId)?.pid : undefined;
      return pid === undefined ? report : { ...report, outcome: explainPidsLimit(report.outcome, pid) };
    },
    release: async (containerId) => (await resident)?.release(containerId),
    close: async () => (await resident)?.close(),
  };
}
