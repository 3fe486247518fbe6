import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { createFakeHost } from '../../../test/fakes/containerd-host.ts';
import { LABELS } from '../../lib/labels.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { EngineHost } from '../host.ts';
import { queryOf } from '../query.ts';
import type { Call } from '../route.ts';
import { attachRoutes } from './attach.ts';
import { createAttachments } from './attachments.ts';

const ID = 'c'.repeat(64);

test('a client that was told of a failure does not wait for the next start', async () => {
  const containerd = createFakeHost(createFakeClock());
  containerd.put(ID, { [LABELS.owner]: 'healthctl' });
  const attachments = createAttachments();
  const host: Pick<EngineHost, 'restartOf' | 'openEvents'> = {
    restartOf: () => ({ isRestarting: false, nextRestartAtMs: undefined }),
    openEvents: () => (_give, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  };
  const dirs = { runRoot: '/nosuch', dataRoot: '/nosuch', nerdctlDataRoot: '/nosuch', hostId: 'h' };
  const [route] = attachRoutes({
    ctx: { ...containerd.contextOf('default'), dirs },
    host: host as EngineHost,
    attachments,
    log: silentLogger,
  });
  const told: Buffer[] = [];
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      told.push(chunk);
      done();
    },
  });
  const answer = await route?.handle({
    version: { major: 1, minor: 51 },
    part: () => ID,
    query: queryOf('stream=1&stdout=1'),
    signal: new AbortController().signal,
    hijack: async () => {
      containerd.disconnect();
      return { stream };
    },
  } as unknown as Call);
  expect(answer).toBeUndefined();
  expect(String(Buffer.concat(told))).toContain('Error attaching: containerd does not answer\n');
  let isAwaited = false;
  await attachments.start(ID, async (beforeStart) => {
    isAwaited = beforeStart !== undefined;
  });
  expect(isAwaited).toBe(false);
});
