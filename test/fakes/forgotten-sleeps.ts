/**
 * The sleeps on fake clocks that nothing has woken yet. If a test ends with such a sleep, and has not advanced the
 * clock since the sleep began, it waited for time that never passed, or left something behind that waits.
 * test/fakes/setup.ts then lets it fail.
 */
export interface SleepsOfClock {
  /**
   * @param isMidAdvance the sleep began while the clock was advanced, and the advance ended before it was due: a test
   *   may want that
   */
  add(sleeper: object, what: string, isMidAdvance: boolean): void;
  delete(sleeper: object): void;
  /** The clock advances: its sleeps are not forgotten. */
  clear(): void;
}

export interface ForgottenSleep {
  /** Its stack shows where the sleep began. */
  readonly calledAt: Error;
  readonly isMidAdvance: boolean;
}

const clocks = new Set<Map<object, ForgottenSleep>>();

export const forgottenSleeps = {
  /** The sleeps of a new clock. */
  open: (): SleepsOfClock => {
    const sleeps = new Map<object, ForgottenSleep>();
    return {
      add: (sleeper, what, isMidAdvance) => {
        clocks.add(sleeps);
        sleeps.set(sleeper, { calledAt: new Error(what), isMidAdvance });
      },
      delete: (sleeper) => void sleeps.delete(sleeper),
      clear: () => sleeps.clear(),
    };
  },
  /** @returns the sleeps that the ended test leaves */
  take: (): readonly ForgottenSleep[] => {
    const left = [...clocks].flatMap((sleeps) => [...sleeps.values()]);
    clocks.clear();
    return left;
  },
};

/**
 * Throws if a test has forgotten a sleep.
 * @param hasTimedOut then it may have waited for any of the sleeps
 */
export function refuseForgottenSleeps(left: readonly ForgottenSleep[], hasTimedOut: boolean): void {
  const forgotten = left.find(({ isMidAdvance }) => hasTimedOut || !isMidAdvance);
  if (forgotten)
    throw new Error(
      `a fake clock was not advanced for a ${forgotten.calledAt.message}; the cause shows where it began`,
      {
        cause: forgotten.calledAt,
      },
    );
}
