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

function released(...flags: string[]): number {
  const args = [...flags, '--import', 'tsx', '--input-type=module', '-e', LEFT];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return Number(stdout);
}

test('garbage is collected when V8 may be asked, and nothing fails when not', () => {
  expect(released('--expose-gc')).toBeGreaterThan(5_000_000);
  expect(Math.abs(released())).toBeLessThan(5_000_000);
});
