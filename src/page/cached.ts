import type { Clock } from '../lib/clock.ts';

/** Answers that several readers share for a while. */
export interface Cache {
  /** The answer to a question: a known one that is less than `maxAgeMs` old, else that of `make`. No failure is kept. */
  get<T>(question: string, maxAgeMs: number, make: () => Promise<T>): Promise<T>;
  readonly size: number;
  /** Forgets all answers. */
  clear(): void;
}

/** More answers than that are not kept: the oldest go first. */
const MAX_KEPT = 64;

export function createCache(clock: Pick<Clock, 'after'>): Cache {
  const kept = new Map<string, { readonly answer: Promise<unknown>; readonly end: { cancel(): void } }>();
  const forget = (question: string): void => {
    kept.get(question)?.end.cancel();
    kept.delete(question);
  };
  return {
    get: <T>(question: string, maxAgeMs: number, make: () => Promise<T>): Promise<T> => {
      const known = kept.get(question);
      if (known) return known.answer as Promise<T>;
      const answer = make();
      // At its end, not with the next question: after the last reader, nobody asks.
      kept.set(question, { answer, end: clock.after(maxAgeMs, () => kept.delete(question)) });
      const [oldest] = kept.keys();
      if (kept.size > MAX_KEPT && oldest !== undefined) forget(oldest);
      answer.catch(() => {
        if (kept.get(question)?.answer === answer) forget(question);
      });
      return answer;
    },
    get size() {
      return kept.size;
    },
    clear: () => {
      for (const question of kept.keys()) forget(question);
    },
  };
}
