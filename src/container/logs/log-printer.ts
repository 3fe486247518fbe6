import type { Write } from './follow.ts';
import { endsLine } from './log-lines.ts';
import type { LogTime } from './log-times.ts';

export interface LogPrinterOptions {
  /** Prefixes each line with its time. */
  readonly timestamps: boolean;
  /** A prefix for each line, after the time. */
  readonly details?: string | undefined;
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly write: Write;
  /** Called for each line whose time is not exactly known. */
  onInexact(): void;
}

/** Prints lines that come in pieces, within a time range. */
export interface LogPrinter {
  put(bytes: Buffer, time: LogTime): Promise<void>;
  /** Writes collected output. */
  flush(): Promise<void>;
}

/** Number of bytes to collect before a write. */
const GATHERED_BYTES = 64 * 1024;

export function createLogPrinter({
  timestamps,
  details,
  sinceMs,
  untilMs,
  write,
  onInexact,
}: LogPrinterOptions): LogPrinter {
  let isHead = true;
  let isShown = false;
  let gathered: Buffer[] = [];
  let size = 0;
  const gather = (bytes: Buffer): void => {
    gathered.push(bytes);
    size += bytes.length;
  };
  const flush = async (): Promise<void> => {
    if (size === 0) return;
    const bytes = Buffer.concat(gathered);
    [gathered, size] = [[], 0];
    await write(bytes);
  };
  return {
    flush,
    put: async (bytes, { atMs, isExact }) => {
      if (isHead) {
        isShown = atMs >= (sinceMs ?? 0) && atMs <= (untilMs ?? Number.POSITIVE_INFINITY);
        if (!isExact) onInexact();
        if (isShown && timestamps) gather(Buffer.from(`${logTimestamp(atMs)} `));
        if (isShown && details !== undefined) gather(Buffer.from(`${details} `));
      }
      isHead = endsLine(bytes);
      if (isShown) gather(bytes);
      if (size >= GATHERED_BYTES) await flush();
    },
  };
}

/** RFC 3339 in UTC with nine digits, as in Docker, as far as they are known. */
export function logTimestamp(atMs: number): string {
  const wholeMs = Math.floor(atMs);
  const micros = Math.min(999, Math.max(0, Math.round((atMs - wholeMs) * 1000)));
  return `${new Date(wholeMs).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}000Z`;
}
