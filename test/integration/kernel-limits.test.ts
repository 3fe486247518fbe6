import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { isClockSynchronized } from '../../src/system/clock-sync.ts';
import { readCapabilityMask, readInotifyLimits, readOpenFiles } from '../../src/system/kernel-limits.ts';
import { listListeners } from '../../src/system/listeners.ts';

test('the kernel gives its limits', () => {
  const { open, max } = readOpenFiles();
  expect(open).toBeGreaterThan(0);
  expect(max).toBeGreaterThan(open);
  expect(readInotifyLimits()).toEqual({ watches: expect.any(Number), instances: expect.any(Number) });
  for (const set of ['CapEff', 'CapBnd'] as const) expect(readCapabilityMask(set)).toMatch(/^[0-9a-f]{16}$/);
});

test('adjtimex(2) answers', () => {
  expect([true, false]).toContain(isClockSynchronized());
});

test('finds listening sockets, and none for a process that has ended', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  expect(listListeners(process.pid)).toContainEqual({ address: '127.0.0.1', port });
  server.close();
  await once(server, 'close');
  expect(listListeners(process.pid)).not.toContainEqual({ address: '127.0.0.1', port });
  const child = spawn('true');
  await once(child, 'close');
  expect(listListeners(child.pid ?? 0)).toBeUndefined();
});
