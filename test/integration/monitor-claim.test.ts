import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claimMonitor, findClaimHolder } from '../../src/daemon/monitor-claim.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { lockFile } from '../../src/system/flock.ts';
import { realSocketPath } from '../../src/system/socket-path.ts';
import { runProgram } from '../../testbed/program.ts';

// Locks of this process stand for monitors: flock(2) treats two descriptors of one process like those of two processes.

let root: string;
let address: string;
let server: Server;
const warnings: string[] = [];
const listen = (path: string): Promise<Server> =>
  new Promise((resolve) => {
    const made = createServer().listen(path, () => resolve(made));
  });
/** Restarts containerd: its socket is another one. */
async function listenAnew(): Promise<void> {
  server.close();
  writeFileSync(join(root, 'takes the inode'), '');
  server = await listen(address);
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'healthctl-claim-'));
  address = join(root, 'containerd.sock');
  server = await listen(address);
  warnings.length = 0;
});
afterEach(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

const claim = (over: { address?: string; runRoot?: string; namespaces?: readonly string[]; dir?: string } = {}) =>
  claimMonitor(
    { address, runRoot: '/run/a', namespaces: [], dir: join(root, 'claims'), ...over },
    { clock: systemClock, log: { warn: (text) => warnings.push(text) } },
  );
const other = (over: Parameters<typeof claim>[0] = {}) => claim({ runRoot: '/run/b', ...over });
const CONFLICT = {
  code: 'CONFLICT',
  message: expect.stringMatching(/process \d+, with the run root \/run\/a$/),
  hint: expect.stringContaining('--run-root /run/a daemon stop'),
};
const found = (namespace = 'default') =>
  findClaimHolder({ address, namespace, dir: join(root, 'claims') }, systemClock);
const OWNER = { pid: process.pid, runRoot: '/run/a' };

describe('a claim on a containerd', () => {
  test('refuses a second monitor, and names the first', async () => {
    const first = await claim();
    await expect(other()).rejects.toMatchObject(CONFLICT);
    expect(await found()).toEqual(OWNER);
    await first.release();
    expect(await found()).toBeUndefined();
    await (await other()).release();
    expect(existsSync(join(root, 'claims'))).toBe(false);
  });

  test('refuses it also by a symbolic link, another name or a bind mount of the socket', async () => {
    const first = await claim();
    const alias = join(root, 'alias.sock');
    symlinkSync(address, alias);
    await expect(other({ address: realSocketPath(alias) })).rejects.toMatchObject(CONFLICT);
    await expect(other({ address: alias })).rejects.toMatchObject(CONFLICT);
    if (process.getuid?.() === 0) {
      const mounted = join(root, 'mounted.sock');
      writeFileSync(mounted, '');
      await runProgram(['mount', '--bind', address, mounted], { env: { PATH: process.env.PATH ?? '' } });
      try {
        await expect(other({ address: mounted })).rejects.toMatchObject(CONFLICT);
      } finally {
        await runProgram(['umount', mounted], { env: { PATH: process.env.PATH ?? '' } });
      }
    }
    await first.release();
  });

  test('does not affect another containerd', async () => {
    const first = await claim();
    const second = await other({ address: join(root, 'another.sock') });
    await first.release();
    await second.release();
  });

  test('follows a restart to the new socket, and refuses a second monitor before and after', async () => {
    const first = await claim();
    await listenAnew();
    await expect(other()).rejects.toMatchObject(CONFLICT);
    await first.follow();
    await first.follow();
    const link = join(root, 'link');
    symlinkSync(address, link);
    await expect(other({ address: link })).rejects.toMatchObject(CONFLICT);
    expect(readdirSync(join(root, 'claims'))).toHaveLength(2);
    await first.release();
    expect(existsSync(join(root, 'claims'))).toBe(false);
  });

  test('that another monitor took on the new socket is reported when the first follows', async () => {
    const link = join(root, 'link');
    symlinkSync(address, link);
    server.close();
    const first = await claim(); // without containerd
    server = await listen(address);
    const second = await claim({ runRoot: '/run/a', address: link });
    await expect(first.follow()).rejects.toMatchObject(CONFLICT);
    await first.release();
    await second.release();
  });
});

describe('a claim on namespaces', () => {
  test('allows monitors without a common namespace', async () => {
    const first = await claim({ namespaces: ['a', 'b'] });
    const second = await other({ namespaces: ['c'] });
    await expect(other({ namespaces: ['d', 'b'] })).rejects.toMatchObject(CONFLICT);
    await expect(claim({ namespaces: [] })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect([await found('a'), await found('c'), await found('d')]).toEqual([
      OWNER,
      { pid: process.pid, runRoot: '/run/b' },
      undefined,
    ]);
    await first.release();
    await second.release();
    expect(existsSync(join(root, 'claims'))).toBe(false);
    const all = await claim();
    await expect(other({ namespaces: ['a'] })).rejects.toMatchObject(CONFLICT);
    expect(await found('a')).toEqual(OWNER);
    await all.release();
  });
});

test('a monitor that claims while commands look for it is not refused', async () => {
  await (await claim({ namespaces: ['a'] })).release();
  const looking = Promise.all(Array.from({ length: 50 }, () => found()));
  const first = await claim();
  await first.release();
  await looking;
});

test('a monitor waits for a command that looks for it, even for seconds', async () => {
  const neighbour = await claim({ namespaces: ['left'] });
  for (const file of ['.lock', '.right.lock']) {
    const key =
      readdirSync(join(root, 'claims'))
        .find((name) => name.startsWith('path-'))
        ?.split('.')[0] ?? '';
    const flags = constants.O_RDWR | constants.O_CREAT;
    const looking = await lockFile(
      { path: join(root, 'claims', `${key}${file}`), flags, timeoutMs: 1_000, isShared: true },
      systemClock,
    );
    const released = systemClock.sleep(2_500).then(() => looking.release());
    await (await other({ namespaces: ['right'] })).release();
    await released;
  }
  await neighbour.release();
});

test('if no claim is possible, a warning says what is not prevented', async () => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  const first = await claim({ dir: join(file, 'claims') });
  await first.follow();
  await first.release();
  expect(warnings).toEqual([expect.stringContaining('cannot prevent a second monitor with another run root')]);
});

test('a directory in place of a lock does not stop a monitor', async () => {
  const first = await claim();
  const names = readdirSync(join(root, 'claims'));
  await first.release();
  for (const name of names) mkdirSync(join(root, 'claims', name), { recursive: true });
  const second = await claim();
  await expect(other()).rejects.toMatchObject(CONFLICT);
  await second.release();
  expect(warnings).toEqual(names.map(() => expect.stringContaining('a directory, not a regular file')));
});
