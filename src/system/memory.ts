import { openLibc } from './libc.ts';

/**
 * Collects all garbage, and gives what is free back to the system. It takes some 20 ms, in which nothing else is done. Without `--expose-gc`
 * nothing is collected, and where musl is the C library nothing of the C heap is given back.
 */
export function releaseMemory(): void {
  (globalThis as { readonly gc?: () => void }).gc?.();
  try {
    openLibc().func('int malloc_trim(size_t pad)')(0);
  } catch {
    // a function of glibc alone (malloc_trim(3)): there is nothing to say about that
  }
}
