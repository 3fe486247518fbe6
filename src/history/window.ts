import { addToCell, type Cell, CellBlock, emptyCell, MINUTE_MS } from './cell.ts';
import type { Sample } from './model.ts';
import { SampleBlock } from './sample-codec.ts';

/** The samples of the present window, in memory in the form in which they will be stored, some bytes each. */
export class Window {
  readonly fromMs: number;
  readonly #containers = new Map<string, Held>();

  /** @param fromMs wall time */
  constructor(fromMs: number) {
    this.fromMs = fromMs;
  }
  add(key: string, sample: Sample): void {
    let held = this.#containers.get(key);
    if (!held) {
      held = { samples: new SampleBlock(), minutes: new CellBlock(), cell: undefined };
      this.#containers.set(key, held);
    }
    held.samples.add(sample);
    const minuteMs = Math.floor(sample.atMs / MINUTE_MS) * MINUTE_MS;
    if (held.cell?.fromMs !== minuteMs) {
      if (held.cell) held.minutes.add(held.cell);
      held.cell = emptyCell(minuteMs);
    }
    addToCell(held.cell, sample);
  }
  get isEmpty(): boolean {
    return this.#containers.size === 0;
  }
  *samples(): Iterable<readonly [key: string, block: Uint8Array]> {
    for (const [key, { samples }] of this.#containers) yield [key, samples.bytes()];
  }
  *minutes(): Iterable<readonly [key: string, block: Uint8Array]> {
    for (const [key, { minutes, cell }] of this.#containers) yield [key, minutes.bytesWith(cell)];
  }
}

interface Held {
  readonly samples: SampleBlock;
  /** Of past minutes. */
  readonly minutes: CellBlock;
  /** Of the present minute. */
  cell: Cell | undefined;
}
