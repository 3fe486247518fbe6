/** A check as a side writes it down. Times are wall times in milliseconds. */
export interface Result {
  readonly startMs: number;
  readonly endMs: number;
  /** What the check's own process read from the clock; undefined for checks that do not print it (see CLOCK_CHECK). */
  readonly ranMs: number | undefined;
}

/** The latest results of a container, as somebody saw them at some moment, in the order in which they were made. */
export interface SeenResults {
  readonly id: string;
  readonly results: readonly Result[];
  /** Wall time at which the newest of them could first be read; undefined when that is not known. */
  readonly keptMs: number | undefined;
}

/**
 * A check that says when it runs: it prints the time with microseconds, and both sides keep its output with the result. One static program,
 * no shell, and no file that would have to be written; adjtimex(2) to ask needs no capability, and Docker's seccomp profile allows it.
 */
export const CLOCK_CHECK: readonly string[] = ['CMD', 'busybox', 'adjtimex'];

/** The kernel's flag that says nanoseconds where microseconds stand otherwise: adjtimex(2). */
const STA_NANO = 0x2000;

/** Docker's HealthcheckResult, which healthctl writes as well. */
export interface LogEntry {
  readonly Start: string;
  readonly End: string;
  readonly Output?: string;
}

export function resultOf({ Start, End, Output }: LogEntry): Result {
  return { startMs: millisFrom(Start), endMs: millisFrom(End), ranMs: clockIn(Output ?? '') };
}

/** With the fraction that Date.parse cuts off: Docker writes nanoseconds. */
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
