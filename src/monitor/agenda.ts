import type { Clock } from '../lib/clock.ts';

/** Work planned for a time on the monotonic clock. */
export interface Appointment {
  readonly dueMs: number;
  /** Cancels it; no effect once it was due. */
  cancel(): void;
}

/**
 * A schedule: one heap of due times, one sleeper for the earliest. Monotonic time stops while the machine is suspended
 * and does not jump with the wall clock, so neither causes a burst or a stall.
 */
export interface Agenda {
  /**
   * Calls `work` at `dueMs`, to the millisecond, or as soon after it as possible; work with the same due time runs in
   * the order of creation.
   */
  at(dueMs: number, work: () => void): Appointment;
  /** Number of appointments. */
  readonly size: number;
  /** Cancels everything. Idempotent. */
  stop(): void;
}

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  work: (() => void) | undefined;
}

export function createAgenda(clock: Pick<Clock, 'monotonic' | 'after'>): Agenda {
  const heap: Entry[] = [];
  let size = 0;
  let made = 0;
  /** The sleeper, and when it wakes. */
  let sleeping: { readonly untilMs: number; cancel(): void } | undefined;

  const armTimer = (): void => {
    while (heap[0] && heap[0].work === undefined) pop(heap);
    const next = heap[0];
    if (next && sleeping && sleeping.untilMs <= next.dueMs) return;
    sleeping?.cancel();
    sleeping = undefined;
    if (!next) return;
    const { cancel } = clock.after(Math.max(0, Math.ceil(next.dueMs - clock.monotonic())), () => {
      sleeping = undefined;
      fire();
    });
    sleeping = { untilMs: next.dueMs, cancel };
  };

  const fire = (): void => {
    const now = clock.monotonic();
    for (let next = heap[0]; next && next.dueMs - now < RESOLUTION_MS; next = heap[0]) {
      pop(heap);
      const { work } = next;
      if (!work) continue;
      next.work = undefined;
      size -= 1;
      work();
    }
    armTimer();
  };

  return {
    at: (dueMs, work) => {
      const entry: Entry = { dueMs, order: made++, work };
      push(heap, entry);
      size += 1;
      armTimer();
      return {
        dueMs,
        cancel: () => {
          if (!entry.work) return;
          entry.work = undefined;
          size -= 1;
          if (heap.length > 2 * size + SLACK) dropCancelled(heap);
          if (heap[0] === undefined || heap[0].work === undefined) armTimer();
        },
      };
    },
    get size() {
      return size;
    },
    stop: () => {
      for (const entry of heap) entry.work = undefined;
      heap.length = 0;
      size = 0;
      armTimer();
    },
  };
}

/** Timers count in whole milliseconds: work due within the next one runs now. */
const RESOLUTION_MS = 1;

/** Number of cancelled entries that may stay in the heap, however few others are left. */
const SLACK = 64;

function dropCancelled(heap: Entry[]): void {
  // a sorted array is a heap
  const kept = heap.filter(({ work }) => work !== undefined).sort((a, b) => (isEarlier(a, b) ? -1 : 1));
  heap.length = 0;
  heap.push(...kept);
}

const isEarlier = (a: Entry, b: Entry): boolean => (a.dueMs === b.dueMs ? a.order < b.order : a.dueMs < b.dueMs);

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (!parent || isEarlier(parent, entry)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = entry;
}

/** Removes the earliest entry. */
function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const leftAt = 2 * at + 1;
    const [left, right] = [heap[leftAt], heap[leftAt + 1]];
    if (!left) break;
    const [child, childAt] = right && isEarlier(right, left) ? [right, leftAt + 1] : [left, leftAt];
    if (isEarlier(last, child)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
}
