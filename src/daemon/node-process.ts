import { resolve } from 'node:path';

/**
 * Node.js options of a monitor. Small heaps: a monitor makes little garbage at a time, and also runs on small hosts.
 * One worker thread of V8 instead of four: each has memory of its own, 4 MB in total with 200 containers. The collector
 * can be called, see releaseMemory; V8 itself does not collect after each small amount of work, which would take 30 ms
 * of CPU within ten seconds.
 */
export const NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--expose-gc',
  '--no-memory-reducer',
];

/**
 * Environment of a monitor, but not of its hooks. One glibc heap for all threads (mallopt(3)): free memory in one
 * thread's heap is not available to others, which costs 1.3 MB with 200 containers. It is read before main, so the
 * monitor cannot set it itself.
 */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };

/**
 * The configuration file named by a caller's environment, for a process with another working directory; undefined if
 * none.
 */
export function configFileOf({ HEALTHCTL_TOML }: Readonly<Record<string, string | undefined>>): string | undefined {
  return HEALTHCTL_TOML ? resolve(HEALTHCTL_TOML) : undefined;
}
