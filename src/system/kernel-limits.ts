import { readFileSync } from 'node:fs';

/** Limits on inotify(7) for each user. */
export interface InotifyLimits {
  readonly watches: number;
  readonly instances: number;
}

export function readInotifyLimits(): InotifyLimits {
  const [watches = 0] = numbersIn('/proc/sys/fs/inotify/max_user_watches');
  const [instances = 0] = numbersIn('/proc/sys/fs/inotify/max_user_instances');
  return { watches, instances };
}

/** Open files of the whole host, and how many the kernel allows. */
export function readOpenFiles(): { readonly open: number; readonly max: number } {
  const [open = 0, , max = Number.POSITIVE_INFINITY] = numbersIn('/proc/sys/fs/file-nr');
  return { open, max };
}

/**
 * The capabilities of this process, a mask in hexadecimal digits.
 * @param set `CapEff`: the effective ones; `CapBnd`: those that it can give to its children
 */
export function readCapabilityMask(set: 'CapEff' | 'CapBnd'): string {
  const status = readFileSync('/proc/self/status', 'latin1');
  return new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
}

const numbersIn = (path: string): readonly number[] => readFileSync(path, 'latin1').trim().split(/\s+/).map(Number);
