import { DAY_MS, dayOf, type FileKind, type HistoryFile } from './files.ts';

export interface Limits {
  /** How long changes and hours are kept. Default seven days. */
  readonly maxAgeMs: number;
  /** Size of all files. Default 256 MiB. */
  readonly maxBytes: number;
}

interface SizedFile extends HistoryFile {
  readonly bytes: number;
}

/** How long the finer parts are kept, in milliseconds; never longer than the whole. */
const KEPT_MS: Partial<Record<FileKind, number>> = { raw: DAY_MS, minutes: 3 * DAY_MS };
/** The order of removal if the files are too large. */
const FINEST_FIRST: readonly FileKind[] = ['raw', 'minutes', 'hours', 'changes'];

/**
 * The files to remove: by their age, then the finest and oldest ones until the rest is within the size.
 *
 * The minutes of a day are removed together, so that a reader that finds one of them does not need the hours of that
 * day. A journal is never removed: it is part of the present window.
 *
 * @param files all files, the oldest first
 */
export function expired(files: readonly SizedFile[], limits: Limits, nowMs: number): readonly SizedFile[] {
  const gone = new Set(files.filter((file) => isOld(file, limits, nowMs)));
  let bytes = 0;
  for (const file of files) if (!gone.has(file)) bytes += file.bytes;
  for (const kind of FINEST_FIRST) {
    for (const file of files) {
      if (bytes <= limits.maxBytes) return [...gone];
      if (file.kind !== kind || gone.has(file)) continue;
      for (const one of kind === 'minutes' ? minutesOfDay(files, file) : [file]) {
        gone.add(one);
        bytes -= one.bytes;
      }
    }
  }
  return [...gone];
}

function isOld({ kind, fromMs }: HistoryFile, { maxAgeMs }: Limits, nowMs: number): boolean {
  if (kind === 'journal') return false;
  const keptMs = Math.min(KEPT_MS[kind] ?? maxAgeMs, maxAgeMs);
  // The age of a file of a day, or of minutes, which are removed by the day, counts from the end of that day.
  const endMs = kind === 'raw' ? fromMs : dayOf(fromMs) + DAY_MS;
  return nowMs - endMs > keptMs;
}

const minutesOfDay = (files: readonly SizedFile[], { fromMs }: HistoryFile): readonly SizedFile[] =>
  files.filter((file) => file.kind === 'minutes' && dayOf(file.fromMs) === dayOf(fromMs));
