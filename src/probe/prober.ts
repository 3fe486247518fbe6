import type { ExecMode } from '../health/config.ts';
import type { NativeTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';

/** What is probed. */
export interface ProbeTarget {
  readonly containerId: string;
  /** The run that is checked, as in `Run`: `bootid:pid:starttime`. */
  readonly runId: string;
  /** The container's own OCI `process` as JSON text (see processJsonOf); undefined when it has no runtime spec. */
  readonly processJson: string | undefined;
  /** A directory for the probe's FIFOs; only one probe at a time uses it. */
  readonly scratchDir: string;
  readonly timeoutNs: number;
  /** How a command is run; undefined where the check does not say. */
  readonly exec?: ExecMode | undefined;
  /** Whether what the command left behind is ended with it. */
  readonly reap?: boolean | undefined;
}

/**
 * The mechanism of a check. What it saw is a value; it throws only when healthctl itself failed (containerd gone, no space for a FIFO).
 * When it returns or throws nothing of the probe is left: no process, no exec, no FIFO, no descriptor; but see ContainerProber. An abort is the outcome `cancelled`.
 */
export interface Prober<C extends ProbeCommand = ProbeCommand> {
  probe(target: ProbeTarget, command: C, signal?: AbortSignal): Promise<ProbeReport>;
}

/** A place among those who start commands in containers at the same moment. */
export interface StartGate {
  /** Resolves when there is a place, with what gives it back, once or more often; undefined when the signal fires first. */
  acquire(signal: AbortSignal): Promise<(() => void) | undefined>;
}

/** A command that is run in the container. */
export type ExecCommand = { readonly kind: 'exec'; readonly args: readonly string[] };

export type ProbeCommand = ExecCommand | NativeTest;

export interface ProbeReport {
  readonly outcome: Outcome;
  /** When the probe was launched, and when it was over: milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}
