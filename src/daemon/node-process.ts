import { resolve } from 'node:path';

/**
 * How Node.js runs a monitor. Small heaps: a monitor makes little garbage at a time, and runs on the smallest of hosts. One thread for V8's
 * work beside the main one, not four: each keeps memory of its own, which is 4 MB with 200 containers. The collector can be asked, see
 * releaseMemory; V8 does not collect on its own account whenever there was a little work, which is 30 ms of CPU within ten seconds of it.
 */
export const NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--expose-gc',
  '--no-memory-reducer',
];

/**
 * Variables that it is started with, and that hooks are not. One heap of glibc's for all threads (mallopt(3)): those of one thread are not
 * given back where another needs them, which is 1.3 MB with 200 containers. It is read before main, so the monitor cannot set it itself.
 */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };

/** The configuration file that a caller's environment names, for a process with another working directory; undefined for none. */
export function configFileOf({ HEALTHCTL_TOML }: Readonly<Record<string, string | undefined>>): string | undefined {
  return HEALTHCTL_TOML ? resolve(HEALTHCTL_TOML) : undefined;
}
