import { HealthctlError } from './errors.ts';
import { hasLabel } from './label-filter.ts';

/** The conditions of `prune --filter`: all must hold. */
export interface PruneFilter {
  /** Created before. Milliseconds since the epoch. */
  readonly untilMs?: number;
  /** `key` or `key=value`: has all of these. */
  readonly labels: readonly string[];
  /** `key` or `key=value`: has none of these. */
  readonly withoutLabels: readonly string[];
}

/**
 * Parses `until=…`, `label=…` and `label!=…` (moby, daemon/prune.go).
 *
 * @param parseTime parses the value of `until`
 * @throws INVALID `invalid filter 'x'`, and for more than one `until`
 */
export function parsePruneFilter(texts: readonly string[], parseTime: (text: string) => number): PruneFilter {
  const labels: string[] = [];
  const withoutLabels: string[] = [];
  const untils: string[] = [];
  for (const text of texts) {
    const equals = text.indexOf('=');
    const key = text.slice(0, Math.max(0, equals)).trim().toLowerCase();
    const value = text.slice(equals + 1).trim();
    if (key === 'until') untils.push(value);
    else if (key === 'label') labels.push(value);
    else if (key === 'label!') withoutLabels.push(value);
    else throw new HealthctlError('INVALID', `invalid filter '${key}'`, { hint: 'filters are until, label, label!' });
  }
  const [until, ...others] = untils;
  if (others.length > 0) throw new HealthctlError('INVALID', 'more than one until filter specified');
  return { ...(until === undefined ? {} : { untilMs: parseTime(until) }), labels, withoutLabels };
}

/** Whether an object may be removed. @param what.createdMs undefined if unknown: with `until` the object then stays */
export function matchesPrune(
  { untilMs, labels, withoutLabels }: PruneFilter,
  what: { readonly createdMs: number | undefined; readonly labels: Readonly<Record<string, string>> },
): boolean {
  if (untilMs !== undefined && (what.createdMs === undefined || what.createdMs > untilMs)) return false;
  return (
    labels.every((label) => hasLabel(what.labels, label)) &&
    !withoutLabels.some((label) => hasLabel(what.labels, label))
  );
}
