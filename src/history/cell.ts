import { ByteReader, ByteWriter } from './bytes.ts';
import {
  addDuration,
  type Durations,
  mergeDurations,
  noDurations,
  readDurations,
  writeDurations,
} from './durations.ts';
import type { Sample } from './model.ts';

/** The checks of one container in one minute or hour. */
export interface Cell {
  /** The start of the period, wall time. */
  readonly fromMs: number;
  readonly widthMs: number;
  succeeded: number;
  failed: number;
  /** Latest start of a scheduled check, in milliseconds after it was due. */
  maxLagMs: number;
  readonly durations: Durations;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

export const emptyCell = (fromMs: number, widthMs = MINUTE_MS): Cell => ({
  ...{ fromMs, widthMs, succeeded: 0, failed: 0, maxLagMs: 0 },
  durations: noDurations(),
});

export function addToCell(cell: Cell, { exitCode, lagMs = 0, durationMs }: Sample): void {
  if (exitCode === 0) cell.succeeded += 1;
  else cell.failed += 1;
  cell.maxLagMs = Math.max(cell.maxLagMs, Math.round(lagMs));
  addDuration(cell.durations, durationMs);
}

export function mergeCell(into: Cell, from: Cell): void {
  into.succeeded += from.succeeded;
  into.failed += from.failed;
  into.maxLagMs = Math.max(into.maxLagMs, from.maxLagMs);
  mergeDurations(into.durations, from.durations);
}

/** Cells by their starts. */
export type CellMap = Map<number, Cell>;

/** Adds up cells in cells of this width, oldest first; a wider cell keeps its width. */
export function mergedCells(cells: Iterable<Cell>, widthMs: number): readonly Cell[] {
  const merged: CellMap = new Map();
  for (const cell of cells) mergeIntoCells(merged, cell, widthMs);
  return sortedCells(merged);
}

/** Like `mergedCells`, for one cell after the other. */
export const mergeIntoCells = (cells: CellMap, cell: Cell, widthMs: number): void =>
  mergeCell(cellAt(cells, cell.fromMs, Math.max(widthMs, cell.widthMs)), cell);

/** Adds a sample to the cell of its time. */
export const addToCells = (cells: CellMap, sample: Sample, widthMs: number): void =>
  addToCell(cellAt(cells, sample.atMs, widthMs), sample);

/** Oldest first. */
export const sortedCells = (cells: CellMap): readonly Cell[] => [...cells.values()].sort((a, b) => a.fromMs - b.fromMs);

function cellAt(cells: CellMap, atMs: number, widthMs: number): Cell {
  const fromMs = Math.floor(atMs / widthMs) * widthMs;
  const cell = cells.get(fromMs) ?? emptyCell(fromMs, widthMs);
  cells.set(fromMs, cell);
  return cell;
}

/** Cells at whole minutes, in a few bytes each. */
export class CellBlock {
  readonly #writer = new ByteWriter();
  #lastMinute = 0;

  add(cell: Cell): void {
    this.#lastMinute = writeCell(this.#writer, cell, this.#lastMinute);
  }
  /** @param last one more cell, which is not added */
  bytesWith(last: Cell | undefined): Buffer {
    const writer = new ByteWriter(this.#writer.length + 64);
    writer.bytes(this.#writer.written());
    if (last) writeCell(writer, last, this.#lastMinute);
    return writer.written();
  }
}

function writeCell(writer: ByteWriter, cell: Cell, lastMinute: number): number {
  const minute = Math.floor(cell.fromMs / MINUTE_MS);
  writer.int(minute - lastMinute);
  writer.uint(cell.succeeded);
  writer.uint(cell.failed);
  writer.uint(Math.max(0, cell.maxLagMs));
  writeDurations(writer, cell.durations);
  return minute;
}

export function cellBlockOf(cells: Iterable<Cell>): Buffer {
  const block = new CellBlock();
  for (const cell of cells) block.add(cell);
  return block.bytesWith(undefined);
}

/**
 * Calls `visit` for each cell of a block. It is the same object each time, so that millions make little garbage: a cell
 * is valid only during its visit. Throws CORRUPT.
 */
export function eachCellIn(block: Uint8Array, widthMs: number, visit: (cell: Cell) => void): void {
  const reader = new ByteReader(block);
  const cell: { -readonly [Name in keyof Cell]: Cell[Name] } = emptyCell(0, widthMs);
  let minute = 0;
  while (!reader.isDone) {
    minute += reader.int();
    cell.fromMs = minute * MINUTE_MS;
    cell.succeeded = reader.uint();
    cell.failed = reader.uint();
    cell.maxLagMs = reader.uint();
    readDurations(reader, cell.durations);
    visit(cell);
  }
}
