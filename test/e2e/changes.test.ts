import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed } from './support/harness.ts';

const SCRIPT = `mkdir /foo; echo xyzzy >/foo/bar; echo more >>/opt/kept; rm /opt/gone; rm -r /opt/dir; mkdir /opt/dir
  echo x >/opt/dir/new; rm -r /opt/all; echo v >/data/file; touch /tmp/x; rm /tmp/x`;

let bed: Bed;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  const files = {
    'opt/kept': { body: '1' },
    'opt/gone': { body: '2' },
    'opt/dir/old': { body: '3' },
    'opt/all/x': { body: '4' },
  };
  const image = await bed.image({}, { files });
  engine = await startEngine(bed);
  const mounts = ['-v', 'data:/data', '-v', '/deep/er', '--tmpfs', '/scratch'];
  await bed.ok(['create', '--name', 'untouched', ...mounts, image, 'true']);
  await bed.ok(['run', '--name', 'clean', ...mounts, image, 'true']);
  await bed.ok(['run', '-d', '--name', 'up', ...mounts, image, 'sh', '-c', `${SCRIPT}; sleep 1000`]);
  await bed.ok(['run', '--name', 'over', ...mounts, image, 'sh', '-c', SCRIPT]);
  await bed.ok(['exec', 'up', 'sh', '-c', 'until [ -d /foo -a ! -e /opt/all ]; do sleep 0.1; done']);
});
afterAll(() => bed[Symbol.asyncDispose]());

const LINES = [
  'A /foo',
  'A /foo/bar',
  'C /opt',
  'D /opt/all',
  'D /opt/dir',
  'A /opt/dir/new',
  'D /opt/gone',
  'C /opt/kept',
];

test.each(['up', 'over'])('the changes of %s, without its mount points', async (name) => {
  const lines = (await bed.ok(['diff', name])).split('\n').filter((line) => line !== 'C /tmp');
  expect(lines).toEqual(LINES);
  const { json } = await engine.ask('GET', `/containers/${name}/changes`);
  expect(json).toContainEqual({ Path: '/opt/gone', Kind: 2 });
  expect(json).toContainEqual({ Path: '/foo/bar', Kind: 1 });
  expect(json).toContainEqual({ Path: '/opt/kept', Kind: 0 });
});

test('a container that wrote nothing has no changes', async () => {
  for (const name of ['untouched', 'clean']) expect(await bed.ok(['diff', name])).toBe('');
  expect(await engine.ask('GET', '/containers/clean/changes')).toMatchObject({ status: 200, json: null });
});

test.each(['up', 'over'])('the file system of %s as an archive, without what is mounted', async (name) => {
  const before = await bed.traces();
  const file = join(bed.directory, `${name}.tar`);
  await bed.ok(['export', '-o', file, name]);
  const answer = await engine.open('GET', `/containers/${name}/export`);
  const streamed = await buffer(answer);
  for (const input of [readFileSync(file), streamed]) {
    const names = execFileSync('tar', ['-tf', '-'], { input, encoding: 'utf8' }).split('\n');
    expect(names).toEqual(expect.arrayContaining(['bin/', 'bin/busybox', 'data/', 'foo/bar', 'opt/dir/new', 'proc/']));
    expect(names.filter((one) => /^(data|proc|sys|dev)\/./.test(one) || one === 'opt/gone')).toEqual([]);
    expect(execFileSync('tar', ['-xOf', '-', 'opt/kept'], { input, encoding: 'utf8' })).toBe('1more\n');
  }
  execFileSync('rm', [file]);
  await bed.expectNothingLeft(before);
});
