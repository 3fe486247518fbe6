import { setFlagsFromString } from 'node:v8';
import { openLibc } from './libc.ts';

/** Has V8 put together what is left on each page of its heap, so that others become empty; else it does so with few of them. */
const COMPACT = 'compact-on-every-full-gc';

/**
 * Collects all garbage, and gives what is free back to the system. It takes some 30 ms, in which nothing else is done. Without `--expose-gc`
 * nothing is collected, and where musl is the C library nothing of the C heap is given back.
 */
export function releaseMemory(): void {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc) {
    setFlagsFromString(`--${COMPACT}`);
    gc();
    setFlagsFromString(`--no-${COMPACT}`);
  }
  try {
    openLibc().func('int malloc_trim(size_t pad)')(0);
  } catch {
    // a function of glibc alone (malloc_trim(3)): there is nothing to say about that
  }
}
