import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMonitor, whyUnmonitored } from '../../src/cli/monitor/open.ts';
import { openPast } from '../../src/cli/past.ts';
import { REQUESTS } from '../../src/daemon/api/requests.ts';
import { daemonPathsOf } from '../../src/daemon/daemon-paths.ts';
import { claimMonitor, type MonitorClaim } from '../../src/daemon/monitor-claim.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { World } from '../../src/world.ts';

// A monitor with the run root A, and a command with the run root B.

let root: string;
let claim: MonitorClaim;
let server: Server | undefined;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'healthctl-open-'));
  writeFileSync(join(root, 'containerd.sock'), '');
  const log = { warn: () => {} };
  const where = { address: join(root, 'containerd.sock'), runRoot: join(root, 'A'), dir: join(root, 'claims') };
  claim = await claimMonitor({ ...where, namespaces: [] }, { clock: systemClock, log });
});
afterEach(async () => {
  await claim.release();
  server?.close();
  server = undefined;
  rmSync(root, { recursive: true, force: true });
});

function worldWith(runRoot: string) {
  const settings = {
    ...{ address: join(root, 'containerd.sock'), namespace: 'default', runRoot, dataRoot: join(root, 'data') },
    monitor: { scheduler: 'monitor', namespaces: [] },
  } as unknown as World['settings'];
  const log = { warn: () => {}, debug: () => {} };
  return { settings, log, clock: systemClock, signal: new AbortController().signal, claimsDir: join(root, 'claims') };
}

async function answerIn(runRoot: string): Promise<void> {
  const { apiSocket } = daemonPathsOf(worldWith(runRoot).settings);
  mkdirSync(dirname(apiSocket), { recursive: true });
  const made = createServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nHealthctl-Api: 1\r\nContent-Length: 9\r\n\r\n{"a":"b"}'));
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(apiSocket, resolve));
}

test('a command asks the monitor that claimed the namespace, whatever its run root', async () => {
  await answerIn(join(root, 'A'));
  const world = worldWith(join(root, 'B'));
  expect(await openMonitor(world).ask(REQUESTS.anyStatus)).toEqual({ value: { a: 'b' } });
  expect(await whyUnmonitored(world)).toBeUndefined();
});

test('a monitor that claimed the namespace and does not answer is named', async () => {
  expect(await whyUnmonitored(worldWith(join(root, 'B')))).toBe(
    `the monitor, process ${process.pid}, with the run root ${join(root, 'A')}, does not answer`,
  );
});

test('without a claim, no monitor runs', async () => {
  await claim.release();
  expect(await whyUnmonitored(worldWith(join(root, 'B')))).toBe('no monitor runs');
});

test('a monitor that does not know the request to write its history is no error', async () => {
  const { apiSocket } = daemonPathsOf(worldWith(join(root, 'A')).settings);
  mkdirSync(dirname(apiSocket), { recursive: true });
  const body = JSON.stringify({ code: 'NOT_FOUND', message: 'no such path' });
  const head = `HTTP/1.1 404 Not Found\r\nHealthctl-Api: 1\r\nContent-Length: ${body.length}\r\n\r\n`;
  const made = createServer((socket) => {
    socket.once('data', () => socket.end(`${head}${body}`));
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(apiSocket, resolve));
  const world = worldWith(join(root, 'A'));
  const settings = { ...world.settings, history: { isEnabled: true, maxAgeMs: 1, maxBytes: 1 } };
  await expect(openPast({ ...world, settings })).rejects.toMatchObject({
    message: 'there is no history of this containerd yet',
  });
});
