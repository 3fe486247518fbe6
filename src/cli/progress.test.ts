import { describe, expect, test } from 'vitest';
import { formatStep, showProgress } from './progress.ts';

function sink(isTTY: boolean, rows = 24) {
  const written: string[] = [];
  return { written, isTTY, columns: 80, rows, write: (text: string) => written.push(text) };
}

test('without a terminal, prints a line when the status changes', () => {
  const out = sink(false);
  const view = showProgress(out, { monotonic: () => 0 });
  view.onProgress({ ref: 'a', status: 'Pulling fs layer' });
  view.onProgress({ ref: 'a', status: 'Downloading', current: 1, total: 2 });
  view.onProgress({ ref: 'a', status: 'Download complete' });
  view.onProgress({ ref: 'a', status: 'Download complete' });
  view.end();
  expect(out.written.join('')).toBe('a: Pulling fs layer\na: Download complete\n');
});

describe('on a terminal', () => {
  test('redraws in place, no faster than an eye can see, and always shows the last state', () => {
    const out = sink(true);
    let nowMs = 0;
    const view = showProgress(out, { monotonic: () => nowMs });
    view.onProgress({ ref: 'a', status: 'Pulling fs layer' });
    view.onProgress({ ref: 'b', status: 'Pulling fs layer' });
    expect(out.written).toHaveLength(1);
    nowMs = 200;
    view.onProgress({ ref: 'a', status: 'Extracting' });
    expect(out.written[1]).toBe('\x1b[1A\r\x1b[2Ka: Extracting\n\r\x1b[2Kb: Pulling fs layer\n');
    view.onProgress({ ref: 'b', status: 'Pull complete' });
    view.end();
    expect(out.written[2]).toContain('\x1b[2A');
    expect(out.written[2]).toContain('b: Pull complete');
    view.end();
    expect(out.written).toHaveLength(3);
  });

  test('draws only the lines that fit on the screen', () => {
    const out = sink(true, 4);
    let nowMs = 0;
    const view = showProgress(out, { monotonic: () => nowMs });
    for (let i = 0; i < 10; i++) {
      nowMs += 1000;
      view.onProgress({ ref: `layer${i}`, status: 'Extracting' });
    }
    expect(out.written.at(-1)?.match(/\n/g)).toHaveLength(3);
    expect(out.written.at(-1)).toContain('layer9');
  });
});

test.each([
  [0, `a: Downloading [${' '.repeat(40)}]  0B/1MB`],
  [500_000, `a: Downloading [${'='.repeat(19)}>${' '.repeat(20)}]  500kB/1MB`],
  [1_000_000, `a: Downloading [${'='.repeat(39)}>]  1MB/1MB`],
])('a bar of width %d', (current, line) => {
  const width = 14 + 4 + 40 + ` ${line.split(']  ')[1]}`.length;
  expect(formatStep({ ref: 'a', status: 'Downloading', current, total: 1_000_000 }, width)).toBe(line);
});

test('draws no bar if there is no room', () => {
  expect(formatStep({ ref: 'a', status: 'Downloading', current: 1, total: 2 }, 20)).toBe('a: Downloading 1B/2B');
  expect(formatStep({ ref: 'a', status: 'Downloading', current: 1, total: 0 }, 80)).toBe('a: Downloading');
});
