import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createHttpListener } from '../../src/daemon/listener/http-listener.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';

const dir = mkdtempSync(join(tmpdir(), 'healthctl-listener-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('serves nobody on a socket that cannot be given to its group', async () => {
  const at = { path: join(dir, 'page.sock') };
  const logged: string[] = [];
  const listener = createHttpListener({
    ...{ what: 'page', urlPath: '/', at, tls: undefined, maxConnections: 1, clock: systemClock },
    groupId: 2 ** 40, // no system call takes it
    open: () => (_request, response) => response.end(),
    log: { ...silentLogger, warn: (text) => logged.push(text) },
  });
  await listener.start();
  expect(logged).toEqual([expect.stringMatching(/page\.sock, retrying: .*out of range/)]);
  expect(existsSync(at.path)).toBe(false);
  await listener.stop();
});
