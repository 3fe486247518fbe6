import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { readStat } from '../../src/system/proc.ts';
import { hasEnded, ownIdentity } from '../../src/system/process-identity.ts';

test('a living process has not ended; a dead one has, even if its pid is used again', async () => {
  const own = ownIdentity();
  expect(hasEnded(own)).toBe(false);
  const [boot, namespace, pid, ticks] = own.split('/');
  expect(hasEnded([boot, namespace, pid, Number(ticks) + 1].join('/'))).toBe(true);
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const named = [boot, namespace, child.pid, readStat(child.pid ?? 0)?.startTimeTicks].join('/');
  expect(hasEnded(named)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(hasEnded(named)).toBe(true);
});

test('processes of another boot have ended; of another PID namespace, or from an invalid text, nothing is known', () => {
  const [boot, namespace, pid, ticks] = ownIdentity().split('/');
  expect(hasEnded(['another', namespace, pid, ticks].join('/'))).toBe(true);
  expect(hasEnded([boot, '1', pid, Number(ticks) + 1].join('/'))).toBe(false);
  for (const text of ['', 'x', `${boot}/${namespace}/x/1`, `${boot}/${namespace}/1/2/3`])
    expect(hasEnded(text)).toBe(false);
});
