import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endsLine, linesOf, mergeLines, piecesOf, type TimedPart } from './log-lines.ts';
import { createLogPrinter, logTimestamp } from './log-printer.ts';
import { bytesFromSightings, logTimesFrom, type Sighting } from './log-times.ts';

const AT = 1_767_225_600_000;
const never = new AbortController().signal;

function aPart(text: string, sightings: readonly Sighting[] = [], over: Partial<TimedPart> = {}): TimedPart {
  const content = Buffer.from(text);
  return {
    file: {
      key: 'a',
      read: async (position, length) => content.subarray(position, position + length),
      size: async () => content.length,
      dataFrom: async (position) => position,
      writtenAtMs: async () => AT,
      onChange: () => () => {},
      close: async () => {},
    },
    size: content.length,
    times: logTimesFrom(bytesFromSightings(sightings)),
    writtenAtMs: AT,
    ...over,
  };
}
const start = { part: 0, offset: 0 };
const seen = (ms: number, size: number): Sighting => ({ atMs: AT + ms, size, isExact: true });

async function merged(...streams: readonly TimedPart[][]): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const { stream, bytes } of mergeLines(streams.map((parts) => linesOf(parts, start, never))))
    lines.push(`${stream}:${bytes}`);
  return lines;
}

test('merges the lines of two streams by time; at equal times stdout comes first', async () => {
  const out = aPart('a\nb\nc\n', [seen(0, 2), seen(5, 4), seen(9, 6)]);
  const err = aPart('1\n2\n', [seen(5, 2), seen(7, 4)]);
  expect(await merged([out], [err])).toEqual(['0:a\n', '0:b\n', '1:1\n', '1:2\n', '0:c\n']);
});

test('keeps a line whole that is longer than a block or continues in the next file', async () => {
  const long = 'x'.repeat(100_000);
  const out = [aPart(`${long}\ny`, [seen(0, 200_000)]), aPart('z\n', [seen(9, 2)])];
  const lines = await merged(out, [aPart('1\n', [seen(0, 2)])]);
  expect(lines.map((line) => line.length)).toEqual([65_538, 34_467, 3, 4, 4]);
  expect(lines.slice(2)).toEqual(['0:y', '0:z\n', '1:1\n']);
});

test('output without an index has the time of the last write, which is exact only if the index lags a little', async () => {
  const times = async (part: TimedPart) => {
    const found: unknown[] = [];
    for await (const { time } of linesOf([part], start, never)) found.push([time.atMs - AT, time.isExact]);
    return found;
  };
  expect(await times(aPart('a\nb\n'))).toEqual([
    [0, false],
    [0, false],
  ]);
  const partly = [seen(0, 2)];
  expect((await times(aPart('a\nb\n', partly, { writtenAtMs: AT + 1_000 })))[1]).toEqual([1_000, true]);
  expect((await times(aPart('a\nb\n', partly, { writtenAtMs: AT + 9_000 })))[1]).toEqual([9_000, false]);
});

test('merging neither loses, adds nor tears a line, whatever the streams contain', async () => {
  const text = fc.stringMatching(/^[ab\n]{0,40}$/);
  await fc.assert(
    fc.asyncProperty(text, text, fc.array(fc.nat(9), { maxLength: 6 }), async (out, err, steps) => {
      let [ms, size] = [0, 0];
      const sightings = steps.map((step) => {
        ms += step;
        size += step;
        return seen(ms, size);
      });
      const lines = await merged([aPart(out, sightings)], [aPart(err, sightings.slice(1))]);
      const of = (stream: number) =>
        lines.flatMap((line) => (line.startsWith(`${stream}:`) ? [line.slice(2)] : [])).join('');
      expect([of(0), of(1)]).toEqual([out, err]);
    }),
  );
});

test('cuts a text into pieces that end after newlines', () => {
  expect([...piecesOf(Buffer.from('a\n\nb'))].map(({ bytes, end }) => [`${bytes}`, end])).toEqual([
    ['a\n', 2],
    ['\n', 3],
    ['b', 4],
  ]);
  expect([endsLine(Buffer.from('a\n')), endsLine(Buffer.from('a')), endsLine(Buffer.alloc(0))]).toEqual([
    true,
    false,
    false,
  ]);
});

test('a printer puts one time on each line, and omits only whole lines', async () => {
  let [written, inexact] = ['', 0];
  const printer = createLogPrinter({
    timestamps: true,
    sinceMs: AT + 1,
    untilMs: AT + 3,
    write: async (bytes) => {
      written += bytes;
    },
    onInexact: () => {
      inexact += 1;
    },
  });
  const put = (text: string, ms: number, isExact = true) => printer.put(Buffer.from(text), { atMs: AT + ms, isExact });
  await put('too ', 0);
  await put('early\n', 2);
  await put('a ', 1.5);
  await put('line\n', 9, false);
  await put('last\n', 3, false);
  await put('late\n', 4);
  await printer.flush();
  expect(written).toBe('2026-01-01T00:00:00.001500000Z a line\n2026-01-01T00:00:00.003000000Z last\n');
  expect(inexact).toBe(1);
});

test('a timestamp has nine digits of a second', () => {
  expect(logTimestamp(AT)).toBe('2026-01-01T00:00:00.000000000Z');
  expect(logTimestamp(AT + 999.9996)).toBe('2026-01-01T00:00:00.999999000Z');
});
