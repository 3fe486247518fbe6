import { readdirSync, readFileSync } from 'node:fs';

/** File descriptors of this process. */
export interface Descriptors {
  readonly open: number;
  /** RLIMIT_NOFILE, soft; Node.js raises it to the hard one at its start. Infinity if there is none. */
  readonly limit: number;
}

/** Counts the open descriptors, which costs a lookup of each. Opens one for this; throws EMFILE if none is left. */
export function readDescriptors(): Descriptors {
  return { open: readdirSync('/proc/self/fd').length - 1, limit: readDescriptorLimit() };
}

export function readDescriptorLimit(): number {
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
