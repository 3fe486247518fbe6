import type { CheckConfig } from '../config.ts';
import type { Result } from '../result.ts';
import type { HealthStatus } from '../state.ts';
import { type Reason, reasonOf } from './reason.ts';
import { roundUpMs } from './round-duration.ts';
import { isCovered, isLoopback, type Listener, type Target } from './target.ts';

/** What is known of a container whose health is to be explained. */
export interface DiagnosisFacts {
  readonly config: CheckConfig;
  /** Oldest first. */
  readonly log: readonly Result[];
  /** Undefined before the first check, and without a run. */
  readonly status: HealthStatus | undefined;
  /** The sockets that listen in its network now; undefined if that is not known. */
  readonly listeners: readonly Listener[] | undefined;
  readonly memory: {
    /** Whether the kernel killed a process of this run for lack of memory. */
    readonly isOut: boolean;
    readonly limitBytes: number | undefined;
  };
  /** How long its last starts took until it was healthy, oldest first. */
  readonly starts: readonly StartTaken[];
  /** How long the present run has lasted; undefined if it does not run. */
  readonly runMs: number | undefined;
}

/** A start that led to a healthy container. */
export interface StartTaken {
  readonly ms: number;
  /** It was unhealthy before it was healthy. */
  readonly wasUnhealthy: boolean;
}

/** A likely reason why checks fail, or will. */
export type Finding = Failure | Warning;

/** What results have in common. */
interface Counted {
  /** Number of results in the log. */
  readonly count: number;
}

type Failure = Counted &
  (
    | Exclude<Reason, { readonly kind: 'refused' | 'http-status' | 'timed-out' | 'killed' }>
    /** @see usualMs how long a check takes that passes, if one did */
    | {
        readonly kind: 'timed-out';
        readonly timeoutMs: number;
        readonly usualMs: number | undefined;
        readonly longerMs: number;
      }
    /** @see ports other ports on which something listens; undefined if that is not known */
    | { readonly kind: 'refused'; readonly target: Target | undefined; readonly ports: readonly number[] | undefined }
    /** The server listens, at addresses that the check does not ask. */
    | { readonly kind: 'other-address'; readonly target: Target; readonly addresses: readonly string[] }
    /** Something listens there by now. */
    | { readonly kind: 'listens-now'; readonly target: Target }
    | { readonly kind: 'denied' | 'redirected' | 'no-page' | 'wrong-status'; readonly status: number }
    | { readonly kind: 'out-of-memory'; readonly limitBytes: number | undefined }
    | { readonly kind: 'killed' }
  );

/** What the results do not say by themselves. */
type Warning =
  | { readonly kind: 'near-timeout'; readonly timeoutMs: number; readonly longestMs: number; readonly longerMs: number }
  /** @see needMs the start period that the starts of this container need */
  | {
      readonly kind: 'short-start-period';
      readonly startPeriodMs: number;
      readonly tookMs: number;
      readonly needMs: number;
      /** It is still starting: it has run for less than its starts take. */
      readonly isStarting: boolean;
    }
  | { readonly kind: 'ran-out-of-memory'; readonly limitBytes: number | undefined };

const NS_PER_MS = 1e6;
/** A check that takes this share of its timeout will exceed it on a busy machine. */
const NEAR = 0.8;

/** The findings, those of the last results first. Total and pure: it never throws, whatever containers wrote. */
export function diagnose(facts: DiagnosisFacts): readonly Finding[] {
  const failures = failuresOf(facts);
  const warnings = [nearTimeout(facts, failures), shortStartPeriod(facts), ranOutOfMemory(facts, failures)];
  return [...failures, ...warnings.filter((warning) => warning !== undefined)];
}

/** Equal reasons are one failure, the last first. */
function failuresOf(facts: DiagnosisFacts): readonly Failure[] {
  const found = new Map<string, Failure>();
  for (const result of facts.log.toReversed()) {
    const reason = reasonOf(result, facts.config.kind);
    if (!reason) continue;
    const failure = failureFrom(reason, facts);
    const key = JSON.stringify(failure);
    found.set(key, { ...failure, count: (found.get(key)?.count ?? 0) + 1 });
  }
  return [...found.values()];
}

/** Without the number of results. */
function failureFrom(reason: Reason, facts: DiagnosisFacts): Failure {
  switch (reason.kind) {
    case 'timed-out':
      return { ...reason, ...timeoutOf(facts), count: 1 };
    case 'refused':
      return refusalFrom(reason.target, facts.listeners);
    case 'http-status':
      return { kind: statusKindOf(reason.status), status: reason.status, count: 1 };
    case 'killed':
      return facts.memory.isOut
        ? { kind: 'out-of-memory', limitBytes: facts.memory.limitBytes, count: 1 }
        : { ...reason, count: 1 };
    case 'no-shell':
    case 'no-program':
    case 'not-executable':
    case 'no-command':
    case 'start-timed-out':
    case 'unknown-host':
    case 'speaks-tls':
    case 'other':
      return { ...reason, count: 1 };
  }
}

function refusalFrom(target: Target | undefined, listeners: readonly Listener[] | undefined): Failure {
  if (!target || !listeners) return { kind: 'refused', target, ports: undefined, count: 1 };
  const atPort = listeners.filter(({ port }) => port === target.port);
  const others = [...new Set(listeners.map(({ port }) => port))].sort((a, b) => a - b);
  if (atPort.length === 0) return { kind: 'refused', target, ports: others, count: 1 };
  const isAsked =
    target.addresses.length === 0
      ? atPort.some(({ address }) => !isLoopback(address))
      : target.addresses.some((address) => atPort.some((listener) => isCovered(address, listener)));
  if (isAsked) return { kind: 'listens-now', target, count: 1 };
  return { kind: 'other-address', target, addresses: [...new Set(atPort.map(({ address }) => address))], count: 1 };
}

function statusKindOf(status: number): 'denied' | 'redirected' | 'no-page' | 'wrong-status' {
  if (status === 401 || status === 403 || status === 407) return 'denied';
  if (status >= 300 && status < 400 && status !== 304) return 'redirected';
  return status === 404 || status === 410 ? 'no-page' : 'wrong-status';
}

/** The durations of checks that passed, in milliseconds, ascending. */
function passedMs({ log }: DiagnosisFacts): readonly number[] {
  return log
    .filter(({ exitCode }) => exitCode === 0)
    .map(({ start, end }) => Date.parse(end) - Date.parse(start))
    .filter((ms) => ms >= 0)
    .sort((a, b) => a - b);
}

function timeoutOf(facts: DiagnosisFacts): {
  readonly timeoutMs: number;
  readonly usualMs: number | undefined;
  readonly longerMs: number;
} {
  const timeoutMs = facts.config.timeoutNs / NS_PER_MS;
  const passed = passedMs(facts);
  const usualMs = passed[Math.floor(passed.length / 2)];
  return { timeoutMs, usualMs, longerMs: roundUpMs(2 * Math.max(timeoutMs, usualMs ?? 0)) };
}

/** Checks that passed just in time. After a timeout, the failure itself says so. */
function nearTimeout(facts: DiagnosisFacts, failures: readonly Failure[]): Warning | undefined {
  const timeoutMs = facts.config.timeoutNs / NS_PER_MS;
  const longestMs = passedMs(facts).at(-1);
  if (longestMs === undefined || longestMs < NEAR * timeoutMs) return undefined;
  if (failures.some(({ kind }) => kind === 'timed-out')) return undefined;
  return { kind: 'near-timeout', timeoutMs, longestMs, longerMs: roundUpMs(2 * longestMs) };
}

function shortStartPeriod({ config, starts, status, runMs }: DiagnosisFacts): Warning | undefined {
  const startPeriodMs = config.startPeriodNs / NS_PER_MS;
  const tookMs = Math.max(0, ...starts.map(({ ms }) => ms));
  if (tookMs <= startPeriodMs) return undefined;
  const isStarting = status === 'unhealthy' && runMs !== undefined && runMs < tookMs;
  if (!isStarting && !starts.some(({ ms, wasUnhealthy }) => wasUnhealthy && ms > startPeriodMs)) return undefined;
  return { kind: 'short-start-period', startPeriodMs, tookMs, needMs: roundUpMs(1.5 * tookMs), isStarting };
}

/** Of another process than a check. */
function ranOutOfMemory({ memory }: DiagnosisFacts, failures: readonly Failure[]): Warning | undefined {
  if (!memory.isOut || failures.some(({ kind }) => kind === 'out-of-memory')) return undefined;
  return { kind: 'ran-out-of-memory', limitBytes: memory.limitBytes };
}
