import type { ContainerState } from '../../record/view.ts';

/** The status words of the screen, those that need a look first. `unchecked`: it runs without a health check. */
export const WORDS = [
  'unhealthy',
  'ended',
  'restarting',
  'unknown',
  'starting',
  'paused',
  'healthy',
  'unchecked',
  'created',
  'stopped',
] as const;
/** As in `health`; besides, `restarting`, `created`, and `unknown` while its shim does not answer. */
export type Word = (typeof WORDS)[number];

/** One result of a check, as the bar shows it. */
export interface Beat {
  /** Wall time of its start. */
  readonly atMs: number;
  readonly isGood: boolean;
  /** Its failure did not count: the container was starting. */
  readonly isGrace: boolean;
}

/** A container on the screen. Times are wall time in milliseconds. */
export interface TopRow {
  /** Namespace and id. */
  readonly key: string;
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly state: ContainerState;
  readonly word: Word;
  /** Of a container that has ended. */
  readonly exitCode: number | undefined;
  /** Since when the word holds; undefined if it is not known. */
  readonly sinceMs: number | undefined;
  readonly streak: number;
  readonly hasCheck: boolean;
  /** When the next check is due; undefined if none is planned, or only its timer knows. */
  readonly nextCheckMs: number | undefined;
  readonly nextRestartMs: number | undefined;
  /** The last result. */
  readonly last: { readonly endMs: number; readonly durationMs: number; readonly exitCode: number } | undefined;
  /** The main process, while it runs. */
  readonly pid: number | undefined;
}

/** What a container uses; undefined where it is not known yet. */
export interface Usage {
  /** Share of one processor: 2 is two processors. */
  readonly cpu: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Who makes the checks, for the head of the screen. */
export interface Checkers {
  /** A sentence without a full stop, e.g. `monitor 4711, 40 checks/s`. */
  readonly text: string;
  /** Nobody, or somebody who is in trouble. */
  readonly isBad: boolean;
}

/** All containers at one moment. */
export interface Look {
  readonly rows: readonly TopRow[];
  readonly beats: ReadonlyMap<string, readonly Beat[]>;
  readonly checkers: Checkers;
}

/** The size of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}
