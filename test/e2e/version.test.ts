import { expect, test } from 'vitest';
import { openBed } from './support/harness.ts';

test('version shows healthctl, and the containerd that answers', async () => {
  await using bed = await openBed();
  const { code, stdout, stderr } = await bed.cli(['version']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Client:\n Version: +\d+\.\d+\.\d+\n/);
  const [, version] = /^ {2}Version: +(\S+)$/m.exec((await bed.ctr('version')).split('Server:')[1] ?? '') ?? [];
  expect(stdout).toMatch(/\nServer: containerd\n/);
  expect(stdout.split('Server: containerd')[1]).toContain(`Version:           ${version}\n`);
});
