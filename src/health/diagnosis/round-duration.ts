const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** Durations that a person would choose, in milliseconds. */
const ROUND_MS: readonly number[] = [
  ...[100, 200, 500],
  ...[1, 2, 3, 5, 10, 15, 20, 30, 45].map((seconds) => seconds * SECOND_MS),
  ...[1, 1.5, 2, 3, 5, 10, 15, 20, 30, 45].map((minutes) => minutes * MINUTE_MS),
];

/** The next round duration, at least this long: `700` gives 1 s. Whole hours beyond 45 minutes. */
export function roundUpMs(ms: number): number {
  return ROUND_MS.find((round) => round >= ms) ?? Math.ceil(ms / (60 * MINUTE_MS)) * 60 * MINUTE_MS;
}
