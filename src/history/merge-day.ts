import { hasCode } from '../lib/errors.ts';
import { type Cell, cellBlockOf, cellsIn, emptyCell, HOUR_MS, mergeCell } from './cell.ts';
import type { HistoryFile } from './files.ts';
import { eachBlock } from './segment.ts';

/**
 * Adds up the minutes of a day in hours.
 *
 * @param minutes the segments of that day
 * @param pause lets other work run between two segments
 * @returns the blocks for a segment of hours
 */
export async function mergeDay(
  minutes: readonly HistoryFile[],
  { pause, onDamaged }: { readonly pause: () => Promise<void>; readonly onDamaged: (path: string) => void },
): Promise<Iterable<readonly [key: string, block: Uint8Array]>> {
  const hours = new Map<string, Map<number, Cell>>();
  for (const { path } of minutes) {
    try {
      eachBlock(path, (key, block) => {
        const known = hours.get(key) ?? new Map<number, Cell>();
        hours.set(key, known);
        for (const cell of cellsIn(block)) addToHour(known, cell);
      });
    } catch (error) {
      if (!hasCode(error, 'CORRUPT')) throw error;
      onDamaged(path);
    }
    await pause();
  }
  return [...hours].map(([key, cells]) => [key, cellBlockOf([...cells.values()].sort((a, b) => a.fromMs - b.fromMs))]);
}

function addToHour(hours: Map<number, Cell>, cell: Cell): void {
  const fromMs = Math.floor(cell.fromMs / HOUR_MS) * HOUR_MS;
  const hour = hours.get(fromMs) ?? emptyCell(fromMs);
  hours.set(fromMs, hour);
  mergeCell(hour, cell);
}
