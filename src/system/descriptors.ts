import { readdirSync, readFileSync } from 'node:fs';

/** File descriptors of this process. */
export interface Descriptors {
  readonly open: number;
  /** RLIMIT_NOFILE, soft; Node.js raises it to the hard one when it starts. Infinity where there is none. */
  readonly limit: number;
}

/** Takes one descriptor for a moment, and throws EMFILE where none is left. Costs a look at each that is open. */
export function readDescriptors(): Descriptors {
  return { open: readdirSync('/proc/self/fd').length - 1, limit: readDescriptorLimit() };
}

export function readDescriptorLimit(): number {
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
