import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  forgetRestarts,
  NEVER_RESTARTED,
  type RestartRecord,
  readRestarts,
  writeRestarts,
} from '../../src/record/restart-record.ts';
import { unmount } from '../../testbed/testbed-remains.ts';

let root: string;
let full: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'restart-record-'));
  full = join(root, 'data');
  mkdirSync(full);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'restart-record-test', full]);
});
afterEach(async () => {
  await unmount(full);
  rmSync(root, { recursive: true, force: true });
});

const namespaceDirs = () => ({
  dirs: { hostId: 'h', runRoot: join(root, 'run'), dataRoot: full, nerdctlDataRoot: join(root, 'nerdctl') },
  namespace: 'default',
});
const counted = (count: number): RestartRecord => ({ ...NEVER_RESTARTED, count, streak: count, reason: 'it ended' });
const fill = (): void => {
  try {
    for (let file = 0; file < 100; file += 1) writeFileSync(join(full, `filler-${file}`), 'x'.repeat(4096));
  } catch {
    // No space is left, as intended.
  }
};

test('with a full data root, the count is stored in the run root, where the next monitor finds it', () => {
  writeRestarts(namespaceDirs(), 'c1', counted(1));
  fill();
  writeRestarts(namespaceDirs(), 'c1', counted(2));
  expect(readRestarts(namespaceDirs(), 'c1')).toEqual(counted(2));
  for (const name of readdirSync(full).filter((each) => each.startsWith('filler'))) rmSync(join(full, name));
  writeRestarts(namespaceDirs(), 'c1', counted(3));
  expect(readRestarts(namespaceDirs(), 'c1')).toEqual(counted(3));
  expect(existsSync(join(root, 'run/h/default/c1/restarts.json'))).toBe(false);
});

test('a start by a user removes the count in both places', () => {
  writeRestarts(namespaceDirs(), 'c1', counted(1));
  fill();
  writeRestarts(namespaceDirs(), 'c1', counted(2));
  forgetRestarts(namespaceDirs(), 'c1');
  expect(readRestarts(namespaceDirs(), 'c1')).toEqual(NEVER_RESTARTED);
});
