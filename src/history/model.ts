import type { HealthStatus } from '../health/state.ts';
import type { Phase } from './phase.ts';

export { PHASES, type Phase } from './phase.ts';

/** One result of a check, as history keeps it. Times are whole milliseconds. */
export interface Sample {
  /** Wall time of the start of the check. */
  readonly atMs: number;
  readonly durationMs: number;
  /** How late the check started; undefined for one that the monitor did not schedule. */
  readonly lagMs: number | undefined;
  /** The status after it. */
  readonly status: HealthStatus;
  /** 0: success. −1: it timed out, or could not start. */
  readonly exitCode: number;
  /** The beginning of the output of a failure, at most MAX_TEXT_BYTES; empty for a success. */
  readonly output: string;
}

/** A sample of one container, by its key: see keyOf in src/lib/container-key.ts. */
export type KeyedSample = readonly [key: string, sample: Sample];

/** Longest text of a sample or a change, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 256;

export const ACTIONS = ['restart', 'kill', 'stop'] as const;
export type Action = (typeof ACTIONS)[number];

/** A change of a container, or an action of the monitor on it. */
export type Change =
  /**
   * The first change of a container on each day, and of each monitor. It keeps the name of a container that was removed.
   */
  | {
      readonly kind: 'seen';
      readonly atMs: number;
      readonly key: string;
      readonly name: string;
      readonly image: string;
    }
  | {
      readonly kind: 'phase';
      readonly atMs: number;
      readonly key: string;
      readonly phase: Phase;
      /** When the phase began, if that was before: each day repeats the present phases, so that old files can go. */
      readonly sinceMs?: number | undefined;
      /** The exit code of the check, or of an ended container. */
      readonly exitCode: number | undefined;
      /** Why: the output of the check. */
      readonly reason: string;
    }
  | {
      readonly kind: 'action';
      readonly atMs: number;
      readonly key: string;
      readonly action: Action;
      readonly reason: string;
    }
  /** No monitor ran between the two times. */
  | { readonly kind: 'gap'; readonly atMs: number; readonly toMs: number };

export type PhaseChange = Extract<Change, { kind: 'phase' }>;
export type ActionTaken = Extract<Change, { kind: 'action' }>;
