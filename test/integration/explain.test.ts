import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { explainFileError } from '../../src/cli/explain.ts';
import { messageOf } from '../../src/lib/errors.ts';

const dir = mkdtempSync(join(tmpdir(), 'healthctl-explain-'));
afterAll(() => rmSync(dir, { recursive: true }));
const settings = { runRoot: '/sys/kernel/run', dataRoot: dir };

const failureOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return explainFileError(error, settings);
  }
};

test('explains that a directory cannot be created below another one', () => {
  // The error of Node.js for a read-only file system.
  const cause = Object.assign(new Error("ENOENT: no such file or directory, mkdir '/proc/1/x/y'"), {
    ...{ code: 'ENOENT', syscall: 'mkdir', path: '/proc/sys/kernel/none/x/y' },
  });
  expect(messageOf(explainFileError(cause, settings))).toMatch(/^cannot make \/proc\/sys\/kernel\/none\/x\/y: /);
});

test('an error in one of our roots has a hint', () => {
  expect(failureOf(() => readFileSync(join(dir, 'none')))).toMatchObject({
    ...{ code: 'CONFIG', message: `cannot open ${join(dir, 'none')}: no such file or directory` },
    hint: 'it is in the data root: name another one with --data-root or HEALTHCTL_DATA_ROOT',
  });
  mkdirSync(join(dir, 'there'));
  expect(failureOf(() => mkdirSync(join(dir, 'there')))).toMatchObject({
    message: expect.stringContaining('cannot make'),
  });
});

test('other errors stay unchanged', () => {
  const error = new Error('x');
  expect(explainFileError(error, settings)).toBe(error);
});
