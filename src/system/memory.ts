import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { errnoOf } from '../lib/errors.ts';
import { openLibc } from './libc.ts';

/** Has V8 put together what is left on each page of its heap, so that others become empty; else it does so with few of them. */
const COMPACT = 'compact-on-every-full-gc';

/**
 * Collects all garbage, and gives what is free back to the system. It takes some 30 ms, in which nothing else is done. Where musl is the C
 * library nothing of the C heap is given back.
 */
export function releaseMemory(): void {
  setFlagsFromString(`--${COMPACT}`);
  collectorOf()();
  setFlagsFromString(`--no-${COMPACT}`);
  try {
    openLibc().func('int malloc_trim(size_t pad)')(0);
  } catch {
    // a function of glibc alone (malloc_trim(3)): there is nothing to say about that
  }
}

/** V8's collector: a global of a process with `--expose-gc`, else taken from a context that has it. */
function collectorOf(): () => void {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc) return gc;
  setFlagsFromString('--expose-gc');
  const found = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return found;
}

/**
 * Keeps V8's space for new objects from growing, which it does up to 48 MB in a process that was started without `--max-semi-space-size`. To be
 * called early: it does not shrink.
 */
export function limitYoungHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Bytes of this process in memory; undefined where they cannot be read: libuv opens a file for it, and there may be no descriptor left. */
export function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EMFILE' || errno === 'ENFILE') return undefined;
    throw error;
  }
}
