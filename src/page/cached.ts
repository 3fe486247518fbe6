import type { Clock } from '../lib/clock.ts';

/** Answers that several readers share for a while. */
export interface Cache {
  /** The answer to a question: a known one that is at most `maxAgeMs` old, else that of `make`. No failure is kept. */
  get<T>(question: string, maxAgeMs: number, make: () => Promise<T>): Promise<T>;
  clear(): void;
}

/** More answers than that are not kept: the oldest go first. */
const MAX_KEPT = 64;

export function createCache(clock: Pick<Clock, 'monotonic'>): Cache {
  const kept = new Map<string, { readonly madeMs: number; readonly answer: Promise<unknown> }>();
  return {
    get: <T>(question: string, maxAgeMs: number, make: () => Promise<T>): Promise<T> => {
      const known = kept.get(question);
      if (known && clock.monotonic() - known.madeMs <= maxAgeMs) return known.answer as Promise<T>;
      const made = { madeMs: clock.monotonic(), answer: make() };
      kept.delete(question);
      kept.set(question, made);
      const [oldest] = kept.keys();
      if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
      made.answer.catch(() => {
        if (kept.get(question) === made) kept.delete(question);
      });
      return made.answer;
    },
    clear: () => kept.clear(),
  };
}
