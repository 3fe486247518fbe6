import { closeSync, constants, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { errnoOf } from '../lib/errors.ts';
import { openLibc, systemError } from './libc.ts';

/** Resources whose limit would end or cripple a long-lived process (asm-generic/resource.h): CPU time, … */
const RESOURCES = {
  cpu: 0,
  fileSize: 1,
  data: 2,
  residentSet: 5,
  processes: 6,
  openFiles: 7,
  addressSpace: 9,
} as const;
const UNLIMITED = 2n ** 64n - 1n;
/** systemd's hard limit for services. */
const OPEN_FILES = 524_288n;

/** A limit of a process, RLIM_INFINITY as 2^64 - 1. */
export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/**
 * Starts a process that outlives the shell from which it is started, without that shell's limits (`ulimit -t`, `-f`,
 * `-n` …), its niceness and its OOM score. It lifts them in this process during the start, because a child inherits
 * them from its first instruction on. Limits that we lack the capability to change stay.
 *
 * @param start synchronous; returns the process
 * @param onKept called with the remaining limits that matter to it, e.g. `open files (ulimit -n) 64`
 */
export function startPlainly<T extends { readonly pid?: number | undefined }>(
  start: () => T,
  onKept: (limits: readonly string[]) => void = () => undefined,
): T {
  keepFromChildren();
  const niceness = getPriority();
  const limits = Object.values(RESOURCES).map((resource) => ({ resource, limit: getLimit(resource) }));
  if (niceness !== 0) asFarAsAllowed(() => setPriority(0));
  for (const { resource, limit } of limits) liftLimit(resource, limit);
  try {
    const child = start();
    if (child.pid !== undefined) resetOomScore(child.pid);
    const kept = limits.flatMap(({ resource }) => feltLimit(resource, getLimit(resource)) ?? []);
    if (kept.length > 0) onKept(kept);
    return child;
  } finally {
    for (const { resource, limit } of limits) asFarAsAllowed(() => setLimit(resource, limit));
    if (niceness !== 0) asFarAsAllowed(() => setPriority(niceness));
  }
}

const F_SETFD = 2;
const FD_CLOEXEC = 1;

/**
 * Marks what the shell has left open, e.g. the descriptor of its flock(1): a child would hold it for as long as it
 * runs.
 */
function keepFromChildren(): void {
  const fcntl = openLibc().func('int fcntl(int fd, int command, int value)');
  for (const fd of readdirSync('/proc/self/fd').map(Number)) if (fd > 2) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/** Pure: the limits to try for a resource, the best first. The last needs no capability. */
export function lifted(resource: number, { hard }: Limit): readonly Limit[] {
  const wanted = resource === RESOURCES.openFiles ? (hard > OPEN_FILES ? hard : OPEN_FILES) : UNLIMITED;
  return [
    { soft: wanted, hard: wanted },
    { soft: hard, hard },
  ];
}

/** The shell's names of limits that matter to a monitor, by resource. */
const FELT: ReadonlyMap<number, string> = new Map([
  [RESOURCES.cpu, 'seconds of CPU (ulimit -t)'],
  [RESOURCES.fileSize, 'size of files (ulimit -f)'],
  [RESOURCES.data, 'data (ulimit -d)'],
  [RESOURCES.openFiles, 'open files (ulimit -n)'],
  [RESOURCES.addressSpace, 'memory (ulimit -v)'],
]);
/** The minimum of every system. */
const ENOUGH_FILES = 1_024n;

/** Pure: a limit in words; undefined if there is none, or it does not matter. */
export function feltLimit(resource: number, { soft }: Limit): string | undefined {
  const name = FELT.get(resource);
  const isEnough = soft === UNLIMITED || (resource === RESOURCES.openFiles && soft >= ENOUGH_FILES);
  return name === undefined || isEnough ? undefined : `${name} ${soft}`;
}

function liftLimit(resource: number, limit: Limit): void {
  for (const better of lifted(resource, limit)) if (asFarAsAllowed(() => setLimit(resource, better))) return;
}

function getLimit(resource: number): Limit {
  const old = Buffer.alloc(16);
  prlimit(resource, null, old);
  return { soft: old.readBigUInt64LE(0), hard: old.readBigUInt64LE(8) };
}

function setLimit(resource: number, { soft, hard }: Limit): void {
  const limit = Buffer.alloc(16);
  limit.writeBigUInt64LE(soft, 0);
  limit.writeBigUInt64LE(hard, 8);
  prlimit(resource, limit, null);
}

function prlimit(resource: number, limit: Buffer | null, old: Buffer | null): void {
  const libc = openLibc();
  const call = libc.func('int prlimit(int pid, int resource, const void *limit, void *old)');
  if (call(0, resource, limit, old) !== 0) throw systemError(libc, 'prlimit');
}

function resetOomScore(pid: number): void {
  asFarAsAllowed(() => {
    const fd = openSync(`/proc/${pid}/oom_score_adj`, constants.O_RDWR);
    try {
      if (readFileSync(fd, 'latin1').trim() !== '0') writeSync(fd, '0');
    } finally {
      closeSync(fd);
    }
  });
}

const NOT_ALLOWED: ReadonlySet<unknown> = new Set(['EPERM', 'EACCES', 'ENOENT', 'ESRCH']);

/** @returns whether it was allowed. A process that has already ended needs no change. */
function asFarAsAllowed(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (NOT_ALLOWED.has(errnoOf(error) ?? codeOfPriority(error))) return false;
    throw error;
  }
}

/** os.setPriority puts the errno into `info`. */
function codeOfPriority(error: unknown): unknown {
  if (!(error instanceof Error) || !('info' in error) || typeof error.info !== 'object' || !error.info)
    return undefined;
  return 'code' in error.info ? error.info.code : undefined;
}
