import { expect, test } from 'vitest';
import type { Change, Sample } from '../history/model.ts';
import type { HistoryReader } from '../history/reader.ts';
import type { Period } from '../history/timeline.ts';
import { pastLog } from './history-answers.ts';
import type { LogLine } from './wire.ts';

const [T0, MINUTE, KEY] = [Date.parse('2026-03-01T12:00:00Z'), 60_000, 'default/a'];

const sampleAt = (atMs: number, exitCode = 0): Sample => ({
  ...{ atMs, durationMs: 12, lagMs: 1, status: 'healthy', exitCode, output: '' },
});
const phase = (atMs: number, is: 'healthy' | 'ended' | 'gone'): Change => ({
  ...{ kind: 'phase', atMs, key: KEY, phase: is, sinceMs: undefined, exitCode: 0, reason: '' },
});

/** @returns also the periods whose samples were read */
function readerOf(samples: readonly Sample[], changes: readonly Change[]) {
  const read: Period[] = [];
  const reader: Pick<HistoryReader, 'eachSample' | 'changes'> = {
    eachSample: (period, visit) => {
      read.push(period);
      for (const one of samples) if (one.atMs >= period.fromMs && one.atMs <= period.toMs) visit(KEY, one);
    },
    changes: ({ toMs }) => changes.filter(({ atMs }) => atMs <= toMs),
  };
  return { reader, read };
}

function allPages(reader: Pick<HistoryReader, 'eachSample' | 'changes'>): readonly (readonly LogLine[])[] {
  const pages: (readonly LogLine[])[] = [];
  for (let beforeMs: number | null = T0; beforeMs !== null; ) {
    const answer = pastLog(reader, { key: KEY, beforeMs, isFailedOnly: false });
    pages.push(answer.lines);
    beforeMs = answer.beforeMs;
  }
  return pages;
}

test('pages of the log have each line once, also those of the same millisecond', () => {
  // Each time a result and the action and change that it caused: a page ends between them.
  const times = Array.from({ length: 150 }, (_, index) => T0 - (index + 1) * MINUTE);
  const changes = times.flatMap((atMs, index): Change[] => [
    phase(atMs, index % 2 === 0 ? 'ended' : 'healthy'),
    { kind: 'action', atMs, key: KEY, action: 'restart', reason: '' },
  ]);
  const { reader } = readerOf(
    times.map((atMs) => sampleAt(atMs)),
    changes.toReversed().sort((a, b) => a.atMs - b.atMs),
  );
  const lines = allPages(reader).flat();
  expect(lines).toHaveLength(450);
  expect(new Set(lines.map(({ atMs, kind }) => `${atMs} ${kind}`)).size).toBe(450);
  // The newest first, so what was caused comes before its cause: the order of `healthctl history`, reversed.
  expect(lines.slice(0, 3).map(({ kind }) => kind)).toEqual(['action', 'change', 'result']);
});

test('no time is read twice', () => {
  const { reader, read } = readerOf([sampleAt(T0 - 6 * 24 * 60 * MINUTE)], []);
  expect(pastLog(reader, { key: KEY, beforeMs: T0, isFailedOnly: false }).lines).toHaveLength(1);
  const newestFirst = [...read].sort((a, b) => b.toMs - a.toMs);
  expect(read).toEqual(newestFirst);
  for (const [index, { toMs }] of newestFirst.slice(1).entries())
    expect(toMs).toBe((newestFirst[index]?.fromMs ?? 0) - 1);
  expect(newestFirst.at(-1)?.fromMs).toBe(T0 - 7 * 24 * 60 * MINUTE);
});

test('what a later change hides is hidden on each page', () => {
  // A removal by force ends the container first, which is not shown.
  const changes = [phase(T0 - 5 * MINUTE, 'healthy'), phase(T0 - 1_000, 'ended'), phase(T0 + 1_000, 'gone')];
  const { reader } = readerOf([], changes);
  const { lines } = pastLog(reader, { key: KEY, beforeMs: T0, isFailedOnly: false });
  expect(lines.map(({ word }) => word)).toEqual(['healthy']);
});
