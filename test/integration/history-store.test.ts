import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pastContainers } from '../../src/history/containers.ts';
import { DAY_MS, historyFiles } from '../../src/history/files.ts';
import type { Change, Phase, Sample } from '../../src/history/model.ts';
import { openHistoryRecorder } from '../../src/history/open-recorder.ts';
import { openHistoryReader } from '../../src/history/reader.ts';
import { historyRows } from '../../src/history/rows.ts';
import { segmentOf } from '../../src/history/segment.ts';
import { openHistoryStore } from '../../src/history/store.ts';
import { spansOf } from '../../src/history/timeline.ts';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';

// The history's files, written and read like a monitor and a command do.

const T0 = Date.parse('2026-03-01T12:00:00Z');
const MINUTE = 60_000;
const WEEK = { fromMs: T0 - 8 * DAY_MS, toMs: T0 + 30 * DAY_MS };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'healthctl-history-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const sampleAt = (atMs: number, change: Partial<Sample> = {}): Sample => ({
  ...{ atMs, durationMs: 12, lagMs: 1, status: 'healthy', exitCode: 0, output: '' },
  ...change,
});

function setUp(limits = { maxAgeMs: 7 * DAY_MS, maxBytes: 256 << 20 }) {
  const clock = createFakeClock(T0);
  const warnings: string[] = [];
  const log = { warn: (text: string) => void warnings.push(text), debug: () => {} };
  const open = () => openHistoryStore({ dir, limits, clock: { ...clock, sleep: async () => {} }, log });
  const reader = () => openHistoryReader(dir, { onFault: (text) => void warnings.push(text) });
  return { clock, warnings, open, reader };
}

type Store = Awaited<ReturnType<ReturnType<typeof setUp>['open']>>;
const add = async (
  store: Store,
  samples: readonly (readonly [string, Sample])[],
  changes: readonly Change[] = [],
): Promise<void> => {
  const atMs = samples[0]?.[1].atMs ?? T0;
  await store.appendSamples(atMs, samples);
  if (changes.length > 0) await store.appendChanges(atMs, changes);
};
const kinds = (): string[] => historyFiles(dir).map(({ kind }) => kind);

describe('written samples are read', () => {
  test('from the journal, from segments, and across both', async () => {
    const { clock, open, reader } = setUp();
    const store = await open();
    const written: Sample[] = [];
    for (let minute = 0; minute < 25; minute += 1) {
      const sample = sampleAt(T0 + minute * MINUTE, { durationMs: minute });
      written.push(sample);
      await add(store, [
        ['default/a', sample],
        ['default/b', sampleAt(sample.atMs, { exitCode: 1, status: 'unhealthy', output: 'no' })],
      ]);
      await clock.advance(MINUTE);
    }
    expect(kinds()).toEqual(['minutes', 'raw', 'minutes', 'raw', 'journal']);
    expect(reader().samples('default/a', WEEK)).toEqual(written);
    expect(reader().samples('default/a', { fromMs: T0 + 5 * MINUTE, toMs: T0 + 12 * MINUTE })).toEqual(
      written.slice(5, 13),
    );
    expect(reader().samples('default/b', WEEK)).toHaveLength(25);
    expect(reader().samples('default/c', WEEK)).toEqual([]);
    const all = new Map<string, Sample[]>();
    const period = { fromMs: T0 + 5 * MINUTE, toMs: T0 + 24 * MINUTE };
    reader().eachSample(period, (key, sample) => all.set(key, [...(all.get(key) ?? []), sample]));
    expect([...all.keys()].sort()).toEqual(['default/a', 'default/b']);
    expect(all.get('default/a')).toEqual(written.slice(5));
    const keys = new Set<string>();
    reader().eachCell(WEEK, (key) => keys.add(key));
    expect([...keys].sort()).toEqual(['default/a', 'default/b']);
    const cells = reader().cells(WEEK, 'default/a');
    expect(cells.map(({ succeeded }) => succeeded)).toEqual(Array(25).fill(1));
    expect(
      reader()
        .cells(WEEK, 'default/b')
        .every(({ failed }) => failed === 1),
    ).toBe(true);
    await store.close();
  });

  test('changes come by day, oldest first', async () => {
    const { open, reader } = setUp();
    const store = await open();
    const phase = (atMs: number, key = 'default/a'): Change => ({
      ...{ kind: 'phase', atMs, key, phase: 'unhealthy', sinceMs: undefined, exitCode: 1, reason: 'no “answer”' },
    });
    const changes: Change[] = [
      { kind: 'seen', atMs: T0, key: 'default/a', name: 'web', image: 'nginx' },
      phase(T0 + 1),
      { kind: 'action', atMs: T0 + 2, key: 'default/a', action: 'restart', reason: 'why' },
      { kind: 'gap', atMs: T0 + DAY_MS, toMs: T0 + DAY_MS + 5 },
    ];
    await store.appendChanges(T0, changes.slice(0, 3));
    await store.appendChanges(T0 + DAY_MS, changes.slice(3));
    expect(reader().changes(WEEK)).toEqual(changes);
    expect(reader().changes({ ...WEEK, fromMs: T0 + DAY_MS })).toEqual(changes.slice(3));
    await store.close();
  });

  test('changes of one container come with the gaps, without those of others whose text names it', async () => {
    const { open, reader } = setUp();
    const store = await open();
    const seen = (key: string, image: string): Change => ({ kind: 'seen', atMs: T0, key, name: 'web', image });
    const gap: Change = { kind: 'gap', atMs: T0 + 1, toMs: T0 + 5 };
    await store.appendChanges(T0, [seen('default/a', 'x'), seen('default/ab', 'y'), seen('k/b', 'default/a'), gap]);
    expect(reader().changes(WEEK, 'default/a')).toEqual([seen('default/a', 'x'), gap]);
    expect(reader().changes(WEEK, 'default/none')).toEqual([gap]);
    await store.close();
  });
});

describe('a new monitor', () => {
  const aPast = (clock: FakeClock) => ({ dir, limits: { maxAgeMs: 7 * DAY_MS, maxBytes: 256 << 20 }, clock });
  const silent = { warn: () => {}, debug: () => {} };
  const observed = (id: string, phase: Phase) => ({
    ...{ key: `default/${id}`, name: `web-${id}`, image: 'nginx', phase, exitCode: undefined, reason: '' },
    atMs: Number.POSITIVE_INFINITY,
  });

  test('marks containers as gone that were removed while none ran for days, with their names', async () => {
    const { clock, reader } = setUp();
    const first = openHistoryRecorder({ ...aPast(clock), log: silent });
    await first.start();
    for (const id of ['a', 'b']) first.observe(observed(id, 'healthy'));
    await first.stop();
    // Two monitors that ended before they could ask containerd.
    for (let days = 0; days < 2; days += 1) {
      await clock.advance(2 * DAY_MS);
      const idle = openHistoryRecorder({ ...aPast(clock), log: silent });
      await idle.start();
      await idle.stop();
    }
    await clock.advance(DAY_MS);
    const last = openHistoryRecorder({ ...aPast(clock), log: silent });
    await last.start();
    last.observe(observed('a', 'healthy'));
    last.markOthers(new Set(['default/a']), () => 'gone');
    await last.stop();
    const today = { fromMs: clock.now() - MINUTE, toMs: clock.now() };
    const containers = pastContainers(reader().changes(today));
    expect(containers.map(({ name, changes }) => [name, spansOf(changes, clock.now()).at(-1)?.phase])).toEqual([
      ['web-a', 'healthy'],
      ['web-b', 'gone'],
    ]);
  });
});

describe('after an interrupted writer', () => {
  test('the next one continues its window', async () => {
    const { clock, open, reader } = setUp();
    const first = await open();
    await add(first, [['default/a', sampleAt(T0)]]);
    await first.close();
    // Killed while it wrote the start of a frame.
    const journal = historyFiles(dir)[0]?.path ?? '';
    appendFileSync(journal, Buffer.from([40, 0, 0, 0, 1, 2]));
    expect(reader().samples('default/a', WEEK)).toHaveLength(1);
    const second = await open();
    expect(second.lastMs).toBe(T0);
    await add(second, [['default/a', sampleAt(T0 + MINUTE)]]);
    expect(reader().samples('default/a', WEEK)).toHaveLength(2);
    await clock.advance(11 * MINUTE);
    await add(second, [['default/a', sampleAt(T0 + 11 * MINUTE)]]);
    expect(kinds()).toEqual(['minutes', 'raw', 'journal']);
    expect(reader().samples('default/a', WEEK)).toHaveLength(3);
    await second.close();
  });

  test('nothing counts twice if it ended between writing a segment and removing its journals', async () => {
    const { clock, open, reader } = setUp();
    const store = await open();
    await add(store, [['default/a', sampleAt(T0)]]);
    const journal = historyFiles(dir)[0]?.path ?? '';
    const bytes = readFileSync(journal);
    await clock.advance(11 * MINUTE);
    await add(store, [['default/a', sampleAt(T0 + 11 * MINUTE)]]);
    await store.close();
    writeFileSync(journal, bytes);
    expect(reader().samples('default/a', WEEK)).toHaveLength(2);
    expect(
      reader()
        .cells(WEEK, 'default/a')
        .map(({ succeeded }) => succeeded),
    ).toEqual([1, 1]);
    await (await open()).close();
    expect(readdirSync(dir)).not.toContain(journal.slice(dir.length + 1));
    expect(reader().samples('default/a', WEEK)).toHaveLength(2);
  });

  test.each(Array.from({ length: 40 }, (_, index) => index))(
    'a journal that is cut off keeps its complete batches (%i)',
    async (cut) => {
      const { open, reader } = setUp();
      const store = await open();
      for (let n = 0; n < 4; n += 1) await add(store, [['default/a', sampleAt(T0 + n * 1_000)]]);
      await store.close();
      const journal = historyFiles(dir)[0]?.path ?? '';
      truncateSync(journal, Math.max(0, statSync(journal).size - cut));
      const found = reader()
        .samples('default/a', WEEK)
        .map(({ atMs }) => (atMs - T0) / 1_000);
      expect([0, 1, 2, 3].slice(0, found.length)).toEqual(found);
      if (cut === 0) expect(found).toHaveLength(4);
      await (await open()).close();
    },
  );
});

describe('damage', () => {
  const flip = (path: string, at: number): void => {
    const bytes = readFileSync(path);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(path, bytes);
  };
  const aside = (kind: string): string[] =>
    readdirSync(dir).filter((name) => new RegExp(`^${kind}-\\d+\\.not-ours-[0-9a-f]{8}$`).test(name));

  test('a damaged segment is set aside with a warning; the others are read', async () => {
    const { clock, warnings, open, reader } = setUp();
    const store = await open();
    for (let n = 0; n < 3; n += 1) {
      await add(store, [['default/a', sampleAt(T0 + n * 11 * MINUTE)]]);
      await clock.advance(11 * MINUTE);
    }
    await store.close();
    const raw = historyFiles(dir).find(({ kind }) => kind === 'raw')?.path ?? '';
    flip(raw, 12);
    for (let commands = 0; commands < 2; commands += 1) expect(reader().samples('default/a', WEEK)).toHaveLength(2);
    expect(warnings).toEqual([
      `a part of the history is skipped: ${raw} is damaged; it is now ${join(dir, aside('raw')[0] ?? '')}`,
    ]);
    const one = reader();
    const minutes = historyFiles(dir).find(({ kind }) => kind === 'minutes')?.path ?? '';
    writeFileSync(minutes, Buffer.concat(segmentOf([['default/a', Buffer.from([1, 1])]])));
    one.cells(WEEK, 'default/a');
    expect(warnings.at(-1)).toContain(
      `a part of the history is skipped: ${minutes} is damaged; it is now ${minutes}.not-ours-`,
    );
  });

  test('the monitor sets damaged minutes aside when it merges a day, and files set aside are removed with their age', async () => {
    const { clock, warnings, open } = setUp();
    const store = await open();
    for (let n = 0; n < 2; n += 1) {
      await add(store, [['default/a', sampleAt(clock.now())]]);
      await clock.advance(11 * MINUTE);
    }
    flip(historyFiles(dir).find(({ kind }) => kind === 'minutes')?.path ?? '', 12);
    await clock.advance(DAY_MS);
    for (let n = 0; n < 2; n += 1) {
      await add(store, [['default/a', sampleAt(clock.now())]]);
      await clock.advance(11 * MINUTE);
    }
    expect(warnings).toEqual([expect.stringMatching(/minutes-\d+ is damaged; it is now .*\.not-ours-/)]);
    expect([aside('minutes').length, kinds().includes('hours')]).toEqual([1, true]);
    await clock.advance(8 * DAY_MS);
    await add(store, [['default/a', sampleAt(clock.now())]]);
    expect(aside('minutes')).toEqual([]);
    await store.close();
  });

  test('random bytes at any place give an error or nothing, never a crash or a wrong number of samples', async () => {
    const { clock, open, reader } = setUp();
    const store = await open();
    for (let n = 0; n < 30; n += 1) {
      await add(store, [['default/a', sampleAt(T0 + n * MINUTE)]]);
      await clock.advance(MINUTE);
    }
    await store.close();
    const paths = historyFiles(dir).map(({ path }) => path);
    for (let n = 0; n < 200; n += 1) {
      const path = paths[n % paths.length] ?? '';
      const bytes = readFileSync(path);
      const at = (n * 7919) % bytes.length;
      const broken = Buffer.from(bytes);
      broken[at] = (broken[at] ?? 0) ^ (1 + (n % 255));
      writeFileSync(path, broken);
      expect(reader().samples('default/a', WEEK).length).toBeLessThanOrEqual(30);
      reader().cells(WEEK, 'default/a');
      writeFileSync(path, bytes);
    }
    expect(reader().samples('default/a', WEEK)).toHaveLength(30);
  });

  test('a directory, a link or a FIFO in place of a file does not stop it', async () => {
    const { warnings, open, reader } = setUp();
    writeFileSync(join(dir, 'raw-1'), 'no segment');
    rmSync(join(dir, 'raw-1'));
    const store = await open();
    await add(store, [['default/a', sampleAt(T0)]]);
    writeFileSync(join(dir, 'raw-7'), 'no segment');
    writeFileSync(join(dir, 'hours-x'), 'not ours');
    expect(reader().samples('default/a', { fromMs: 0, toMs: T0 })).toHaveLength(1);
    expect(warnings.join()).toContain('raw-7 is damaged');
    await store.close();
  });
});

test.runIf(process.getuid?.() === 0)(
  'a full disk is an error, and writing continues when there is space again',
  async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'history-test', dir]);
    try {
      const { clock, open, reader } = setUp();
      const store = await open();
      await add(store, [['default/a', sampleAt(T0)]]);
      writeFileSync(join(dir, 'filler'), Buffer.alloc(60_000));
      const output = 'x'.repeat(256);
      let failures = 0;
      let written = 1;
      for (let n = 1; n <= 60; n += 1) {
        if (n === 50) {
          expect(readdirSync(dir).filter((name) => name.startsWith('journal-')).length).toBeLessThan(5);
          rmSync(join(dir, 'filler'));
        }
        await clock.advance(30_000);
        const samples = Array.from({ length: 4 }, () =>
          sampleAt(T0 + n * 30_000, { exitCode: 1, status: 'unhealthy', output }),
        );
        try {
          await add(
            store,
            samples.map((sample) => ['default/a', sample] as const),
          );
          written += samples.length;
        } catch (error) {
          expect(error).toMatchObject({ code: 'EXHAUSTED', message: expect.stringContaining(`${dir}/`) });
          failures += 1;
        }
      }
      expect(failures).toBeGreaterThan(0);
      expect(failures).toBeLessThan(59);
      expect(reader().samples('default/a', WEEK)).toHaveLength(written);
      await store.close();
      await (await open()).close();
      expect(reader().samples('default/a', WEEK)).toHaveLength(written);
    } finally {
      execFileSync('umount', ['-l', dir]);
    }
  },
);

describe('old data are removed', () => {
  test('samples after a day, minutes after three, everything after a week; hours stay in between', async () => {
    const { clock, open, reader } = setUp();
    const store = await open();
    for (let hour = 0; hour < 24 * 10; hour += 1) {
      const atMs = T0 + hour * 60 * MINUTE;
      await add(
        store,
        [['default/a', sampleAt(atMs)]],
        [{ kind: 'action', atMs, key: 'default/a', action: 'restart', reason: '' }],
      );
      await clock.advance(60 * MINUTE);
    }
    const nowMs = T0 + 10 * DAY_MS;
    const all = { fromMs: 0, toMs: nowMs };
    const samples = reader().samples('default/a', all);
    expect(samples.length).toBeGreaterThanOrEqual(23);
    expect(samples.length).toBeLessThanOrEqual(25);
    const cells = reader().cells(all, 'default/a');
    expect(cells.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBeGreaterThanOrEqual(7 * 24);
    expect(cells.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBeLessThanOrEqual(9 * 24);
    const [container] = pastContainers([{ kind: 'seen', atMs: 0, key: 'default/a', name: 'a', image: '' }]);
    if (!container) throw new Error('no container');
    const old = { fromMs: nowMs - 7 * DAY_MS, toMs: nowMs - 5 * DAY_MS };
    const rows = historyRows(reader(), [container], old);
    const widths = rows.map((row) => (row.kind === 'period' ? row.cell.widthMs : row.kind));
    expect(new Set(widths)).toEqual(new Set([60 * MINUTE]));
    expect(reader().changes(all)[0]?.atMs).toBeGreaterThanOrEqual(nowMs - 9 * DAY_MS);
    await store.close();
  });

  test('the finest first if everything is too large', async () => {
    const { clock, open, reader } = setUp({ maxAgeMs: 7 * DAY_MS, maxBytes: 20_000 });
    const store = await open();
    for (let n = 0; n < 400; n += 1) {
      await add(
        store,
        Array.from({ length: 10 }, (_, c) => [`default/${c}`, sampleAt(T0 + n * MINUTE)] as const),
      );
      await clock.advance(MINUTE);
    }
    const size = historyFiles(dir).reduce((sum, { path }) => sum + statSync(path).size, 0);
    expect(size).toBeLessThan(24_000);
    expect(reader().cells({ fromMs: 0, toMs: T0 + DAY_MS }, 'default/3').length).toBeGreaterThan(20);
    await store.close();
  });
});

test('what was written before damage in a journal is read, and the next monitor keeps it', async () => {
  const { clock, warnings, open, reader } = setUp();
  const store = await open();
  for (let n = 0; n < 4; n += 1) await add(store, [['default/a', sampleAt(T0 + n * 1_000)]]);
  await store.close();
  const path = historyFiles(dir)[0]?.path ?? '';
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
  const before = reader().samples('default/a', WEEK).length;
  expect(before).toBeGreaterThan(0);
  expect(reader().lastMs()).toBeDefined();
  expect(warnings[0]).toBe(`a part of the history is skipped: ${path} is damaged`);
  warnings.length = 0;
  const next = await open();
  expect(next.lastMs).toBeGreaterThanOrEqual(T0);
  await clock.advance(MINUTE);
  await add(next, [['default/a', sampleAt(T0 + MINUTE)]]);
  expect(reader().samples('default/a', WEEK)).toHaveLength(before + 1);
  expect(warnings).toEqual([expect.stringContaining(`${path} is damaged; it is now ${path}.not-ours-`)]);
  await next.close();
});

test('two processes cannot write one history', async () => {
  const { open } = setUp();
  const store = await open();
  await expect(open()).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(dir) });
  await store.close();
  await (await open()).close();
});

test('a clock that is set back begins a new window', async () => {
  const { open, reader } = setUp();
  const store = await open();
  await add(store, [['default/a', sampleAt(T0)]]);
  await add(store, [['default/a', sampleAt(T0 - 3 * 60 * MINUTE)]]);
  await add(store, [['default/a', sampleAt(T0 + 1)]]);
  expect(reader().samples('default/a', WEEK)).toHaveLength(3);
  await store.close();
});
