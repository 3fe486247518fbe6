/**
 * The sleeps on fake clocks that nothing has woken. A test that ends with one that it did not advance the clock for has waited for time that
 * never passed, or has left something behind that waits: test/fakes/setup.ts makes it fail.
 */
export interface SleepsOfClock {
  /** @param isMidAdvance begun while the test advanced the clock, which then stopped in the middle of it: a test may want that */
  add(sleeper: object, what: string, isMidAdvance: boolean): void;
  delete(sleeper: object): void;
  /** The clock is being advanced. */
  clear(): void;
}

export interface ForgottenSleep {
  /** Its stack tells where the sleep was begun. */
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
  /** @returns what is left of the test that has ended */
  take: (): readonly ForgottenSleep[] => {
    const left = [...clocks].flatMap((sleeps) => [...sleeps.values()]);
    clocks.clear();
    return left;
  },
};

/** Throws when a test has forgotten a sleep. @param hasTimedOut then any sleep may be what the test waited for */
export function refuseForgottenSleeps(left: readonly ForgottenSleep[], hasTimedOut: boolean): void {
  const forgotten = left.find(({ isMidAdvance }) => hasTimedOut || !isMidAdvance);
  if (forgotten)
    throw new Error(`a fake clock was not advanced for a ${forgotten.calledAt.message} (its place is the cause)`, {
      cause: forgotten.calledAt,
    });
}
