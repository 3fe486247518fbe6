import { errnoOf, hasCode } from '../lib/errors.ts';
import { type CellMap, cellBlockOf, eachCellIn, HOUR_MS, MINUTE_MS, mergeIntoCells, sortedCells } from './cell.ts';
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
  const cells = new Map<string, CellMap>();
  for (const { path } of minutes) {
    try {
      eachBlock(path, (key, block) => {
        const own: CellMap = cells.get(key) ?? new Map();
        cells.set(key, own);
        eachCellIn(block, MINUTE_MS, (cell) => mergeIntoCells(own, cell, HOUR_MS));
      });
    } catch (error) {
      if (hasCode(error, 'CORRUPT')) onDamaged(path);
      else if (errnoOf(error) !== 'ENOENT') throw error; // a reader has set it aside, or a user has removed it
    }
    await pause();
  }
  return [...cells].map(([key, hours]) => [key, cellBlockOf(sortedCells(hours))]);
}
