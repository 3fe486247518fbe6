import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEALTH_STATUSES } from '../health/state.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import {
  addToCells,
  type Cell,
  type CellMap,
  cellBlockOf,
  eachCellIn,
  HOUR_MS,
  MINUTE_MS,
  mergedCells,
  sortedCells,
} from './cell.ts';
import { changeFromLine, lineFromChange } from './change-line.ts';
import { crc32 } from './crc32.ts';
import { addDuration, durationAt, noDurations } from './durations.ts';
import { eachJournaled, FrameWriter, journalFactsOf } from './journal.ts';
import { ACTIONS, type Change, MAX_TEXT_BYTES, PHASES, type Sample } from './model.ts';
import { eachSample, SampleBlock } from './sample-codec.ts';

const time = fc.integer({ min: 0, max: 4e12 });
const sample: fc.Arbitrary<Sample> = fc.record({
  atMs: time,
  durationMs: fc.integer({ min: 0, max: 1e9 }),
  lagMs: fc.option(fc.integer({ min: -1e9, max: 1e9 }), { nil: undefined }),
  status: fc.constantFrom(...HEALTH_STATUSES),
  exitCode: fc.integer({ min: -1, max: 255 }),
  output: fc.string({ maxLength: 60, unit: 'grapheme' }),
});

test('numbers and texts survive', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), fc.string(), (uint, int, text) => {
      const writer = new ByteWriter(1);
      writer.uint(uint);
      writer.int(int);
      writer.text(text, 1e6);
      const reader = new ByteReader(writer.written());
      expect([reader.uint(), reader.int(), reader.text(), reader.isDone]).toEqual([
        uint,
        int,
        Buffer.from(text).toString(),
        true,
      ]);
    }),
  );
});

test('a long text is cut between two characters', () => {
  const writer = new ByteWriter();
  writer.text('ab🙂', 5);
  expect(new ByteReader(writer.written()).text()).toBe('ab');
});

test('crc32 equals that of zlib', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
});

test('samples survive in a block, with their output cut to its length', () => {
  fc.assert(
    fc.property(fc.array(sample), (samples) => {
      const block = new SampleBlock();
      for (const one of samples) block.add(one);
      const found: Sample[] = [];
      eachSample(block.bytes(), (one) => found.push(one));
      const kept = (text: string) => Buffer.from(text).length <= MAX_TEXT_BYTES;
      expect(found.filter(({ output }) => kept(output))).toEqual(samples.filter(({ output }) => kept(output)));
      expect(found).toHaveLength(samples.length);
    }),
  );
});

test('an ordinary sample has at most seven bytes', () => {
  const block = new SampleBlock();
  for (let n = 0; n < 1000; n += 1)
    block.add({ atMs: 1.7e12 + n * 5_003, durationMs: 180, lagMs: 3, status: 'healthy', exitCode: 0, output: '' });
  expect(block.bytes().length).toBeLessThan(7 * 1000 + 10);
});

const keyed = fc.tuple(fc.constantFrom('default/a', 'k8s/b', 'x'), sample);

test('a journal gives its batches up to where it is cut off', () => {
  fc.assert(
    fc.property(fc.array(fc.array(keyed), { maxLength: 8 }), time, fc.nat(), (batches, atMs, cut) => {
      const frames = new FrameWriter();
      const parts = batches.map((batch) => frames.frame(atMs, batch));
      const journal = Buffer.concat(parts);
      const length = journal.length === 0 ? 0 : cut % (journal.length + 1);
      const found: unknown[] = [];
      const { isTorn } = eachJournaled(journal.subarray(0, length), (key, one) => found.push([key, one.atMs]));
      let whole = 0;
      while (whole < parts.length && Buffer.concat(parts.slice(0, whole + 1)).length <= length) whole += 1;
      expect(found).toEqual(batches.slice(0, whole).flatMap((batch) => batch.map(([key, one]) => [key, one.atMs])));
      expect(isTorn).toBe(length > Buffer.concat(parts.slice(0, whole)).length);
    }),
  );
});

test('a journal with damage before its end is CORRUPT, after the batches before it; zeros at the end are an interrupted write', () => {
  const frames = new FrameWriter();
  const one: Sample = { atMs: 5, durationMs: 1, lagMs: 0, status: 'healthy', exitCode: 0, output: '' };
  const parts = [1, 2, 3].map((atMs) => frames.frame(atMs, [['default/a', one]]));
  const journal = Buffer.concat(parts);
  const zeros = Buffer.concat([journal, Buffer.alloc(64)]);
  expect(eachJournaled(zeros, () => {})).toEqual({ lastMs: 3, isTorn: true });
  expect(journalFactsOf(zeros)).toEqual({ lastMs: 3, isTorn: true });
  const at = (parts[0]?.length ?? 0) + 10;
  journal[at] = (journal[at] ?? 0) ^ 1;
  const found: string[] = [];
  expect(() => eachJournaled(journal, (key) => found.push(key))).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  expect(found).toEqual(['default/a']);
});

const cellsOf = (samples: readonly Sample[], widthMs: number): readonly Cell[] => {
  const cells: CellMap = new Map();
  for (const one of samples) addToCells(cells, one, widthMs);
  return sortedCells(cells);
};

describe('cells', () => {
  test('minutes add up to hours, also after they were stored', () => {
    fc.assert(
      fc.property(fc.array(sample), (samples) => {
        const minutes = cellsOf(samples, MINUTE_MS);
        const stored: Cell[] = [];
        eachCellIn(cellBlockOf(minutes), MINUTE_MS, (cell) => stored.push(structuredClone(cell)));
        expect(stored).toEqual(minutes);
        expect(mergedCells(minutes, HOUR_MS)).toEqual(cellsOf(samples, HOUR_MS));
      }),
    );
  });

  test('a quantile is within 5 % of the exact one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 1e8 }), { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (all, share) => {
          const durations = noDurations();
          for (const ms of all) addDuration(durations, ms);
          const truth = all.sort((a, b) => a - b)[Math.max(1, Math.ceil(share * all.length)) - 1] ?? 0;
          expect(Math.abs((durationAt(durations, share) ?? 0) - truth)).toBeLessThanOrEqual(truth * 0.06 + 1);
        },
      ),
    );
    expect(durationAt(noDurations(), 0.5)).toBeUndefined();
  });
});

describe('changes', () => {
  const common = { atMs: time, key: fc.string() };
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant('seen' as const), ...common, name: fc.string(), image: fc.string() }),
    fc.record({
      ...{ kind: fc.constant('phase' as const), ...common, phase: fc.constantFrom(...PHASES), reason: fc.string() },
      exitCode: fc.option(fc.integer(), { nil: undefined }),
      sinceMs: fc.option(time, { nil: undefined }),
    }),
    fc.record({
      ...{ kind: fc.constant('action' as const), ...common },
      action: fc.constantFrom(...ACTIONS),
      reason: fc.string(),
    }),
    fc.record({ kind: fc.constant('gap' as const), atMs: time, toMs: time }),
  );
  test('are parsed from their line', () => {
    fc.assert(
      fc.property(change, (one) => {
        const line = lineFromChange(one);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(changeFromLine(line)).toEqual(one);
      }),
    );
  });
  test.each(['', '{', '{"kind":"phase"}', '[]', '{"at":"2026-01-01T00:00:00Z","kind":"gap"}'])(
    'ignores any other line: %s',
    (line) => expect(changeFromLine(line)).toBeUndefined(),
  );
});
