import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { openHistoryReader } from '../../src/history/reader.ts';

const ROUNDS = Number(process.env.HEALTHCTL_HISTORY_ROUNDS ?? 100);
const dir = mkdtempSync(join(tmpdir(), 'healthctl-history-killed-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const T0 = Date.UTC(2026, 2, 1);
const ALL = { fromMs: 0, toMs: T0 + 1e12 };

/**
 * Kills a writer a moment after its first batch.
 * @returns the number of the last batch that it had written
 */
async function writeUntilKilled(first: number, afterMs: number): Promise<number> {
  const script = join(import.meta.dirname, '../../testbed/history-writer.ts');
  const writer = spawn(process.execPath, ['--import', 'tsx', script, dir, `${first}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(writer, 'exit');
  let last = first - 1;
  try {
    for await (const line of createInterface({ input: writer.stdout })) {
      if (last < first) setTimeout(() => writer.kill('SIGKILL'), afterMs);
      last = Number(line);
    }
  } finally {
    writer.kill('SIGKILL');
    await exited;
  }
  return last;
}

test(`after ${ROUNDS} writers were killed at any time, no written batch is lost or counted twice`, async () => {
  /** The batches whose writing may have been interrupted. */
  const interrupted = new Set<number>();
  let next = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const last = await writeUntilKilled(next, (round * 7) % 60);
    expect(last).toBeGreaterThanOrEqual(next);
    interrupted.add(last + 1);
    next = last + 2;
  }
  const warnings: string[] = [];
  const reader = openHistoryReader(dir, { onFault: (text) => void warnings.push(text) });
  const sums = new Map<string, number>();
  reader.eachCell(ALL, (key, { succeeded }) => sums.set(key, (sums.get(key) ?? 0) + succeeded));
  for (const key of ['default/a', 'default/b']) {
    const kept = reader
      .samples(key, { ...ALL, fromMs: T0 + (next - 1_000) * 30_000 })
      .map(({ durationMs }) => durationMs);
    expect(new Set(kept).size).toBe(kept.length);
    const lately = Array.from({ length: Math.min(1_000, next) }, (_, back) => next - 1 - back);
    expect(lately.filter((batch) => !kept.includes(batch) && !interrupted.has(batch))).toEqual([]);
    expect(sums.get(key)).toBeLessThanOrEqual(next);
    expect(sums.get(key)).toBeGreaterThanOrEqual(next - ROUNDS);
  }
  const actions = reader.changes(ALL).filter(({ kind }) => kind === 'action');
  expect(actions.length).toBeGreaterThanOrEqual(next - ROUNDS - 1);
  expect(warnings).toEqual([]);
}, 1_800_000);
