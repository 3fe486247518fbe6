/** Runs work one after the other for each key, and concurrently for different keys. */
export interface Turns {
  /**
   * Runs `work` when all earlier work of the key has ended.
   * @returns a promise that never rejects: failures go to `onError`
   */
  inTurn(key: string, work: () => Promise<void> | void): Promise<void>;
  /** Resolves when all work begun so far has ended. */
  idle(): Promise<void>;
}

export function createTurns(onError: (key: string, error: unknown) => void): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    inTurn: (key, work) => {
      const mine = (last.get(key) ?? Promise.resolve()).then(work).catch((error: unknown) => onError(key, error));
      last.set(key, mine);
      void mine.then(() => {
        if (last.get(key) === mine) last.delete(key);
      });
      return mine;
    },
    idle: async () => {
      await Promise.all(last.values());
    },
  };
}
