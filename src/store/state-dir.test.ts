import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isNerdctls, missingStateDirLabel, stateDirOf } from './state-dir.ts';

const root = mkdtempSync(join(tmpdir(), 'healthctl-dirs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const dirs = { hostId: '1935db59', runRoot: '/run/healthctl', nerdctlDataRoot: join(root, 'nerdctl') };
const own = join(dirs.nerdctlDataRoot, '1935db59/containers/default/c1');
mkdirSync(own, { recursive: true });
mkdirSync(join(dirs.nerdctlDataRoot, '1935db59/volumes/default/db'), { recursive: true });
symlinkSync(
  join(dirs.nerdctlDataRoot, '1935db59/volumes'),
  join(dirs.nerdctlDataRoot, '1935db59/containers/default/c2'),
);
const subject = (named: string, over = {}) => ({
  namespace: 'default',
  id: 'c1',
  labels: { 'nerdctl/state-dir': named },
  ...over,
});
const ours = '/run/healthctl/1935db59/default/c1';

test('uses the directory that nerdctl gave this container', () => {
  expect(stateDirOf(dirs, subject(own))).toEqual({ path: own, isOurs: false });
  expect(isNerdctls(dirs, subject(own))).toBe(true);
});

test.each([
  ['the whole data root', () => join(dirs.nerdctlDataRoot, '1935db59')],
  ['volumes', () => join(dirs.nerdctlDataRoot, '1935db59/volumes/default/db')],
  ['another container', () => join(dirs.nerdctlDataRoot, '1935db59/containers/default/c9')],
  ['another containerd', () => join(dirs.nerdctlDataRoot, 'aaaaaaaa/containers/default/c1')],
  ['a path with ..', () => `${own}/../../../volumes`],
  ['elsewhere', () => '/etc'],
  ['nothing', () => ''],
])('ignores a label that names %s', (_, named) => {
  expect(stateDirOf(dirs, subject(named()))).toEqual({ path: ours, isOurs: true, ignored: named() });
  expect(isNerdctls(dirs, subject(named()))).toBe(false);
});

test('ignores a symbolic link with the right name', () => {
  const named = join(dirs.nerdctlDataRoot, '1935db59/containers/default/c2');
  expect(stateDirOf(dirs, subject(named, { id: 'c2' }))).toMatchObject({ isOurs: true, ignored: named });
});

test('ignores the label of a container of ours', () => {
  const labels = { 'nerdctl/state-dir': own, 'healthctl/owner': '0.2.0' };
  expect(stateDirOf(dirs, subject(own, { labels }))).toEqual({ path: ours, isOurs: true });
  expect(isNerdctls(dirs, subject(own, { labels }))).toBe(false);
});

test('gives a container of another tool the label with which nerdctl finds health.json', () => {
  const label = { 'nerdctl/state-dir': ours };
  expect(missingStateDirLabel(dirs, subject('', { labels: {} }))).toEqual(label);
  expect(stateDirOf(dirs, subject(ours))).toEqual({ path: ours, isOurs: true });
  expect(missingStateDirLabel(dirs, subject(ours))).toEqual({});
  // A directory of another run root is not used, and gives no warning.
  const other = '/elsewhere/1935db59/default/c1';
  expect(stateDirOf(dirs, subject(other))).toEqual({ path: ours, isOurs: true });
  expect(missingStateDirLabel(dirs, subject(other))).toEqual(label);
  // Containers with a foreign directory.
  expect([missingStateDirLabel(dirs, subject(own)), missingStateDirLabel(dirs, subject('/etc'))]).toEqual([{}, {}]);
});
