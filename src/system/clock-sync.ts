import { openLibc } from './libc.ts';

/** TIME_ERROR of adjtimex(2): the clock is not synchronized. */
const NOT_SYNCHRONIZED = 5;
/** `struct timex` has some 208 bytes; all zero, it only asks. */
const TIMEX_BYTES = 512;

/** Whether the kernel takes the wall clock for synchronized; undefined if it does not say. */
export function isClockSynchronized(): boolean | undefined {
  const state = openLibc().func('int adjtimex(void *timex)')(Buffer.alloc(TIMEX_BYTES));
  return state < 0 ? undefined : state !== NOT_SYNCHRONIZED;
}
