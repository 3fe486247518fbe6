import { constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { daemonPathsOf } from '../../src/daemon/daemon-paths.ts';
import { awaitMonitor, drainDaemon } from '../../src/daemon/drain.ts';
import { lockHolderFileOf } from '../../src/daemon/lock-holder.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { lockFile } from '../../src/system/flock.ts';
import { makeOwnDirectory } from '../../src/system/own-file.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'healthctl-drain-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a monitor that holds the lock for long, and does not listen, is named', async () => {
  const paths = daemonPathsOf({ address: '/none.sock', runRoot: root, dataRoot: root });
  makeOwnDirectory(paths.dir);
  const flags = constants.O_RDWR | constants.O_CREAT;
  const lock = await lockFile({ path: paths.lock, flags, timeoutMs: 0 }, systemClock);
  writeFileSync(lockHolderFileOf(paths), '4711\n');
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 1_000 }; // fifteen seconds pass at once
  try {
    for (const wait of [drainDaemon, awaitMonitor])
      await expect(wait(paths, { clock, signal: new AbortController().signal })).rejects.toMatchObject({
        code: 'TIMEOUT',
        message: 'the monitor, process 4711, starts or ends, and does not answer yet',
      });
  } finally {
    lock.release();
  }
});
