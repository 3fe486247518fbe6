import type { ExecMode } from '../health/config.ts';
import type { NativeTest } from '../health/native-test.ts';
import type { Outcome } from '../health/result.ts';

/** The container to probe. */
export interface ProbeTarget {
  readonly containerId: string;
  /** The checked run, as in `Run`: `bootid:pid:starttime`. */
  readonly runId: string;
  /** The container's own OCI `process` as JSON text (see processJsonOf); undefined if it has no runtime spec. */
  readonly processJson: string | undefined;
  /** A directory for the probe's FIFOs; only one probe at a time uses it. */
  readonly scratchDir: string;
  readonly timeoutNs: number;
  /** How to run a command; undefined if the check does not say. */
  readonly exec?: ExecMode | undefined;
  /** Whether to end processes that the command left behind. */
  readonly reap?: boolean | undefined;
}

/**
 * The mechanism of a check. What the probe saw is a value; it throws only if healthctl itself failed (containerd gone,
 * no space for a FIFO). When it returns or throws, nothing of the probe is left: no process, no exec, no FIFO, no
 * descriptor; for an exception see ContainerProber. An abort is the outcome `cancelled`.
 */
export interface Prober<C extends ProbeCommand = ProbeCommand> {
  probe(target: ProbeTarget, command: C, signal?: AbortSignal): Promise<ProbeReport>;
}

/** Limits how many commands are started in containers at the same moment. */
export interface StartGate {
  /**
   * Resolves with a function that releases the slot, which may be called more than once; undefined if the signal fires
   * first.
   */
  acquire(signal: AbortSignal): Promise<(() => void) | undefined>;
}

/** A command to run in the container. */
export type ExecCommand = { readonly kind: 'exec'; readonly args: readonly string[] };

export type ProbeCommand = ExecCommand | NativeTest;

export interface ProbeReport {
  readonly outcome: Outcome;
  /** When the probe was started and when it ended: milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}
