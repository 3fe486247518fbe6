import type { Outcome } from '../health/result.ts';

/** What is probed. */
export interface ProbeTarget {
  readonly containerId: string;
  /** The container's own OCI `process` as JSON text (see processJsonOf); undefined when it has no runtime spec. */
  readonly processJson: string | undefined;
  /** A directory for the probe's FIFOs; only one probe at a time uses it. */
  readonly scratchDir: string;
  readonly timeoutNs: number;
}

/**
 * The mechanism of a check. What it saw is a value; it throws only when healthctl itself failed (containerd gone, no space for a FIFO).
 * When it returns or throws nothing of the probe is left: no process, no exec, no FIFO, no descriptor. An abort is the outcome `cancelled`.
 */
export interface Prober {
  probe(target: ProbeTarget, command: ProbeCommand, signal?: AbortSignal): Promise<ProbeReport>;
}

export type ProbeCommand = { readonly kind: 'exec'; readonly args: readonly string[] };

export interface ProbeReport {
  readonly outcome: Outcome;
  /** When the probe was launched, and when it was over: milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}
