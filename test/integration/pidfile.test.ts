import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { removePidfile, writePidfile } from '../../src/container/pidfile.ts';
import { makeFifo } from '../../src/system/fifo.ts';

const root = mkdtempSync(join(tmpdir(), 'healthctl-pidfile-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (path: string) => ({ labels: { 'nerdctl/pid-file': path } });
const warnings: string[] = [];
const log = { warn: (text: string) => void warnings.push(text) };

test('a pidfile is written, replaced and removed', () => {
  const path = join(root, 'web.pid');
  writeFileSync(path, 'old');
  writePidfile(at(path), 42);
  expect(readFileSync(path, 'utf8')).toBe('42');
  removePidfile(at(path), log);
  expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

test('a path that is no file, such as /dev/null, is neither replaced nor removed', () => {
  const path = join(root, 'fifo');
  makeFifo(path);
  const before = lstatSync(path);
  expect(() => writePidfile(at(path), 42)).toThrow(`failed to write the pidfile: ${path} is not a regular file`);
  removePidfile(at(path), log);
  expect(lstatSync(path).ino).toBe(before.ino);
  expect(warnings).toEqual([]);
});
