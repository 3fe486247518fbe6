import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { createFakeHost } from '../../../test/fakes/containerd-host.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { EngineDeps } from '../host.ts';
import { queryOf } from '../query.ts';
import type { Call } from '../route.ts';
import { createAttachments } from './attachments.ts';
import { lifeRoutes } from './life.ts';

const ID = 'c'.repeat(64);

test('a client that waits for a start still does after a removal that failed', async () => {
  const containerd = createFakeHost(createFakeClock());
  containerd.put(ID, {});
  const attachments = createAttachments();
  const dirs = { runRoot: '/nosuch', dataRoot: '/nosuch', nerdctlDataRoot: '/nosuch', hostId: 'h' };
  let failure: HealthctlError | undefined = new HealthctlError('UNAVAILABLE', 'containerd does not answer');
  const deps = {
    ctx: { ...containerd.contextOf('default'), dirs },
    host: {
      remove: async () => {
        if (failure) throw failure;
      },
    },
    attachments,
  } as unknown as EngineDeps;
  const route = lifeRoutes(deps).find(({ method }) => method === 'DELETE');
  const { signal } = new AbortController();
  const call = { part: () => ID, query: queryOf(''), signal } as unknown as Call;
  let hasLeft = false;
  const waits = attachments
    .next(ID, async () => undefined, signal)
    .finally(() => {
      hasLeft = true;
    });
  await expect(route?.handle(call)).rejects.toThrow('containerd does not answer');
  expect(hasLeft).toBe(false);
  failure = undefined;
  await route?.handle(call);
  await waits;
});
