/** A check as a side records it. Times are wall times in milliseconds. */
export interface Result {
  readonly startMs: number;
  readonly endMs: number;
  /** The clock as the check's own process read it; undefined for checks that do not print it (see CLOCK_CHECK). */
  readonly ranMs: number | undefined;
}

/** The latest results of a container, in the order in which they were made. */
export interface SeenResults {
  readonly id: string;
  readonly results: readonly Result[];
  /** Wall time at which the newest of them could be read for the first time; undefined if unknown. */
  readonly storedMs: number | undefined;
}

/**
 * A check that shows when it runs: it prints the time with microseconds, and both sides store its output with the
 * result. One static program, without a shell, and no file to write. adjtimex(2) needs no capability to read the clock,
 * and Docker's seccomp profile allows it.
 */
export const CLOCK_CHECK: readonly string[] = ['CMD', 'busybox', 'adjtimex'];

/** The kernel's flag for nanoseconds in place of microseconds: adjtimex(2). */
const STA_NANO = 0x2000;

/** Docker's HealthcheckResult, which healthctl writes too. */
export interface LogEntry {
  readonly Start: string;
  readonly End: string;
  readonly Output?: string;
}

export function resultOf({ Start, End, Output }: LogEntry): Result {
  return { startMs: millisFrom(Start), endMs: millisFrom(End), ranMs: clockIn(Output ?? '') };
}

/** With the fraction that Date.parse drops: Docker writes nanoseconds. */
function millisFrom(iso: string): number {
  const fraction = /\.\d{3}(\d+)/.exec(iso)?.[1] ?? '0';
  return Date.parse(iso) + Number(`0.${fraction}`);
}

function clockIn(output: string): number | undefined {
  const field = (name: string) => new RegExp(`\\b${name}:\\s+(\\d+)`).exec(output)?.[1];
  const [seconds, fraction] = [field('time\\.tv_sec'), field('time\\.tv_usec')];
  if (seconds === undefined || fraction === undefined) return undefined;
  const perMilli = (Number(field('status')) & STA_NANO) === 0 ? 1e3 : 1e6;
  return Number(seconds) * 1_000 + Number(fraction) / perMilli;
}
