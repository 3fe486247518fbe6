import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const LEFT = `
  import { releaseMemory } from './src/system/memory.ts';
  let kept = Array.from({ length: 200_000 }, (_, i) => ({ text: 'x'.repeat(50) + i }));
  kept = undefined;
  const before = process.memoryUsage().heapUsed;
  releaseMemory();
  console.log(before - process.memoryUsage().heapUsed);
`;

const YOUNG = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { limitYoungHeap } from './src/system/memory.ts';
  if (process.argv.includes('limited')) limitYoungHeap();
  let kept = [];
  for (let i = 0; i < 3_000_000; i += 1) {
    kept.push({ i });
    if (kept.length > 20_000) kept = [];
  }
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);
`;

function run(flags: readonly string[], source: string, ...args: string[]): number {
  const command = [...flags, '--import', 'tsx', '--input-type=module', '-e', source, ...args];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return Number(stdout);
}

const released = (...flags: string[]): number => run(flags, LEFT);

test('memory is released, whether or not the process has a garbage collector to call', () => {
  expect(released('--expose-gc')).toBeGreaterThan(5_000_000);
  expect(released()).toBeGreaterThan(5_000_000);
});

test('a flag limits the space for new objects', () => {
  expect(run([], YOUNG, 'limited')).toBeLessThan(run([], YOUNG));
});
