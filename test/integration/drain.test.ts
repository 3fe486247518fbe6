import { constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { drainDaemon } from '../../src/daemon/drain.ts';
import { ownerFileOf } from '../../src/daemon/owner.ts';
import { daemonPlacesOf } from '../../src/daemon/places.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { lockFile } from '../../src/system/flock.ts';
import { makeOwnDirectory } from '../../src/system/own-file.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'healthctl-drain-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a monitor that is ending and does not get to its end is named', async () => {
  const places = daemonPlacesOf({ address: '/none.sock', runRoot: root, dataRoot: root });
  makeOwnDirectory(places.dir);
  const flags = constants.O_RDWR | constants.O_CREAT;
  const lock = await lockFile({ path: places.lock, flags, timeoutMs: 0 }, systemClock);
  writeFileSync(ownerFileOf(places), '4711\n');
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 1_000 }; // fifteen seconds pass at once
  try {
    await expect(drainDaemon(places, { clock, signal: new AbortController().signal })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'the monitor, process 4711, is ending and has not ended yet',
    });
  } finally {
    lock.release();
  }
});
