import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { errnoOf } from '../lib/errors.ts';
import { openLibc } from './libc.ts';

/** Makes V8 compact the pages of its heap so that some become empty; by default it compacts only a few. */
const COMPACT = 'compact-on-every-full-gc';

/**
 * Collects all garbage and returns free memory to the system. Blocks for some 30 ms. With musl as the C library, none
 * of the C heap is returned.
 */
export function releaseMemory(): void {
  setFlagsFromString(`--${COMPACT}`);
  collectorOf()();
  setFlagsFromString(`--no-${COMPACT}`);
  try {
    openLibc().func('int malloc_trim(size_t pad)')(0);
  } catch {
    // only glibc has the function (malloc_trim(3)), so this is no fault
  }
}

/** V8's collector: a global in a process with `--expose-gc`, otherwise taken from a context that has it. */
function collectorOf(): () => void {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc) return gc;
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return found;
}

/**
 * Limits V8's space for new objects, which grows up to 48 MB in a process started without `--max-semi-space-size`. Call
 * it early: the space does not shrink.
 */
export function limitYoungHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Resident memory of this process in bytes; undefined if it cannot be read: libuv opens a file for it, and there may be
 * no free descriptor.
 */
export function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EMFILE' || errno === 'ENFILE') return undefined;
    throw error;
  }
}
