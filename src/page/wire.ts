import type { Phase } from '../history/phase.ts';

/*
 * What the server of the page sends to its client in the browser, as JSON. Both belong to one build, so no version is
 * needed: a client whose server was replaced loads itself again.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export interface Range {
  readonly lengthMs: number;
  /** Width of a bar in the row of results. */
  readonly barMs: number;
  /** Width of what one point of the plot stands for. */
  readonly pointMs: number;
}

/** The periods that the page shows. */
export const RANGES = {
  '90m': { lengthMs: 90 * MINUTE_MS, barMs: 2 * MINUTE_MS, pointMs: MINUTE_MS },
  '24h': { lengthMs: 24 * HOUR_MS, barMs: 30 * MINUTE_MS, pointMs: 10 * MINUTE_MS },
  '7d': { lengthMs: 7 * 24 * HOUR_MS, barMs: 4 * HOUR_MS, pointMs: HOUR_MS },
} as const satisfies Readonly<Record<string, Range>>;
export type RangeName = keyof typeof RANGES;
export const isRangeName = (text: string): text is RangeName => Object.hasOwn(RANGES, text);

/** `created`: never started. `unknown`: its shim does not answer. */
export type ShownStatus = Phase | 'created' | 'unknown';

/** What the monitor knows of a container now. */
export interface PresentState {
  /** Namespace and id: see keyOf in src/lib/container-key.ts. */
  readonly key: string;
  readonly status: ShownStatus;
  readonly failingStreak: number;
  /** Null before the first check. */
  readonly lastCheck: { readonly endMs: number; readonly durationMs: number; readonly exitCode: number } | null;
  readonly isRestarting: boolean;
}

/**
 * One letter for each bar: `h` healthy, `f` healthy with failed checks, `u` unhealthy, `e` ended, `s` starting, `p`
 * paused, `.` not checked, stopped, or not there.
 */
export type BarLetters = string;

/** A container in the list. */
export interface ContainerRow extends PresentState {
  readonly namespace: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** Since when it has its status, wall time; null if that is unknown. */
  readonly sinceMs: number | null;
  /** In the range: the share of the time in which it was up, from 0 to 1; null if uptimeOf has none. */
  readonly uptime: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly flaps: number;
  readonly restarts: number;
  readonly bar: BarLetters;
  /** Checks in each bar. */
  readonly succeeded: readonly number[];
  readonly failed: readonly number[];
}

/** A time in which a container was not up: from the first bad status to the next good one. */
export interface Incident {
  readonly key: string;
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** It has not ended yet. */
  readonly isOpen: boolean;
  readonly phase: Extract<Phase, 'unhealthy' | 'ended'>;
  readonly exitCode: number | null;
  /** Why: the line of the check's output that says most. */
  readonly reason: string;
  /** By the monitor, meanwhile. */
  readonly restarts: number;
}

/** `GET /data/containers?range=RANGE` */
export interface OverviewAnswer {
  readonly nowMs: number;
  readonly range: RangeName;
  /** When the first bar begins. */
  readonly fromMs: number;
  readonly containers: readonly ContainerRow[];
  /** The newest 200, the newest first. */
  readonly incidents: readonly Incident[];
  /** Texts for the reader about what is missing; empty if nothing is. */
  readonly notes: readonly string[];
}

/** A period in which a container was in one phase. */
export interface PhaseSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly phase: Phase;
  readonly exitCode: number | null;
  readonly reason: string;
}

/** The sums of the checks in a period of `pointMs`. Durations in milliseconds. */
export interface PlotPoint {
  readonly atMs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxLagMs: number;
}

/** `GET /data/containers/KEY?range=RANGE` */
export interface ContainerAnswer {
  readonly nowMs: number;
  readonly range: RangeName;
  readonly fromMs: number;
  readonly row: ContainerRow;
  readonly uptime: { readonly hour: number | null; readonly day: number | null; readonly week: number | null };
  /** Oldest first. */
  readonly spans: readonly PhaseSpan[];
  readonly incidents: readonly Incident[];
  readonly plot: readonly PlotPoint[];
  readonly notes: readonly string[];
}

/** `GET /data/containers/KEY/config`: the check of a container, and what is wrong with it. */
export interface ConfigAnswer {
  /** Null for a container that is gone. */
  readonly config: {
    readonly fields: readonly { readonly key: string; readonly text: string; readonly origin: string }[];
    /** Why nothing is checked; empty if it is checked. */
    readonly unchecked: string;
    readonly nextCheckMs: number | null;
    readonly advice: readonly { readonly what: string; readonly remedy: string; readonly command: string }[];
  } | null;
}

/** A line of the log, newest first. */
export interface LogLine {
  readonly atMs: number;
  readonly kind: 'result' | 'change' | 'action';
  /** `ok`, `failed`, the phase, or the action. */
  readonly word: string;
  readonly exitCode: number | null;
  readonly durationMs: number | null;
  readonly lagMs: number | null;
  readonly text: string;
}

/** `GET /data/containers/KEY/log?before=MS&failed=1` */
export interface LogAnswer {
  readonly lines: readonly LogLine[];
  /** `before` of a request for the next older lines; null if there are none. */
  readonly beforeMs: number | null;
}

/** `GET /data/host` */
export interface HostAnswer {
  readonly nowMs: number;
  readonly version: string;
  readonly commit: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly hostname: string;
  readonly address: string;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Whether containerd answers. */
  readonly isLive: boolean;
  readonly containers: number;
  readonly checked: number;
  readonly unhealthy: number;
  readonly troubled: number;
  readonly checksInFlight: number;
  readonly checksWaiting: number;
  readonly checksMade: number;
  readonly lag: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number } | null;
  readonly memoryBytes: number;
  readonly descriptors: { readonly open: number; readonly limit: number };
  readonly keepsHistory: boolean;
}

/** Event `update` of `GET /data/stream`: what has changed since the last one. */
export interface UpdateMessage {
  readonly atMs: number;
  readonly containers: readonly (PresentState & {
    /** Checks since the last message. */
    readonly succeeded: number;
    readonly failed: number;
  })[];
  /** Keys of containers that were removed. */
  readonly gone: readonly string[];
}

/** Event `host`: a HostAnswer. Sent at the beginning and every five seconds. */

/** The body of every answer that is no success. */
export interface PageError {
  readonly message: string;
}
