import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_SOCKET_PATH_BYTES, realSocketPath } from './socket-path.ts';

describe('realSocketPath', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'healthctl-sp-'));
    mkdirSync(join(dir, 'run'));
    writeFileSync(join(dir, 'run', 'up.sock'), '');
    symlinkSync('run', join(dir, 'var'));
    symlinkSync('run/c.sock', join(dir, 'alias.sock'));
    symlinkSync('alias.sock', join(dir, 'second.sock'));
    symlinkSync('loop', join(dir, 'loop'));
    const deep = join(dir, 'd'.repeat(MAX_SOCKET_PATH_BYTES));
    mkdirSync(deep);
    symlinkSync(deep, join(dir, 'short'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test.each([
    ['run/c.sock', 'run/c.sock'],
    ['run/../run//c.sock', 'run/c.sock'],
    ['var/c.sock', 'run/c.sock'],
    ['alias.sock', 'run/c.sock'],
    ['second.sock', 'run/c.sock'],
    ['run/up.sock', 'run/up.sock'],
    ['var/../var/up.sock', 'run/up.sock'],
    ['missing/c.sock', 'missing/c.sock'],
    ['loop', 'loop'],
    ['short/c.sock', 'short/c.sock'],
  ])('%s is %s, whether the socket exists or not', (path, expected) => {
    expect(realSocketPath(`${dir}/${path}`)).toBe(join(dir, expected));
  });
});
