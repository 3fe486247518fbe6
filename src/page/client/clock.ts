/** The browser's clock: the only source of time of the page. */
export const clock = {
  /** Wall time in milliseconds since the epoch. */
  now: (): number => Date.now(),
  /** @returns a function that cancels the call */
  after: (ms: number, work: () => void): (() => void) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};
