import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isPeerClosed } from './peer-closed.ts';

let directory: string;
let server: Server;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'peer-'));
  server = createServer({ allowHalfOpen: true });
  server.listen(join(directory, 's'));
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

test('a peer that reads on, that has ended its side, and that has closed', async () => {
  const accepted = once(server, 'connection');
  const client = connect({ path: join(directory, 's'), allowHalfOpen: true });
  const [served]: unknown[] = await accepted;
  if (!(served instanceof Socket)) throw new Error('no socket');
  served.resume();
  expect(isPeerClosed(served)).toBe(false);
  client.end();
  await once(served, 'end');
  expect(isPeerClosed(served)).toBe(false);
  client.destroy();
  await expect.poll(() => isPeerClosed(served)).toBe(true);
  expect(served.destroyed).toBe(false);
  served.destroy();
  expect(isPeerClosed(served)).toBe(false);
});
