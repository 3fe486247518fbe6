import type { ContainerRow } from '../wire.ts';
import { STATUS_LEVELS, spanText } from './format.ts';

type Shown = Pick<ContainerRow, 'status' | 'sinceMs' | 'failingStreak' | 'isRestarting'>;

/** A status in words, since when, and the failures in a row. */
export function Status({ row, nowMs }: { readonly row: Shown; readonly nowMs: number }) {
  const { status, sinceMs, failingStreak, isRestarting } = row;
  return (
    <p class="status">
      <span class={`badge ${STATUS_LEVELS[status]}`}>{status === 'unknown' ? 'state unknown' : status}</span>
      <span class="quiet small">
        {sinceMs === null ? '' : `for ${spanText(Math.max(1_000, nowMs - sinceMs))}`}
        {failingStreak > 0 && status !== 'gone' ? `, ${failingStreak} failed in a row` : ''}
        {isRestarting ? ', restarting' : ''}
      </span>
    </p>
  );
}
