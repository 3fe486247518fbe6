import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { hostIdOf } from '../../../src/lib/dirs.ts';

// Commands that need only files of ours, without containerd.

const HEALTHCTL = fileURLToPath(new URL('../../../bin/healthctl', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'healthctl-without-'));
const address = join(folder, 'nothing.sock');
const dataRoot = join(folder, 'data');
const dataDir = join(dataRoot, hostIdOf(address));
const content = join(dataDir, 'volumes/default/data/_data');

beforeEach(() => rmSync(dataRoot, { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a network namespace of its own, so that the machine's firewall does not change. */
function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync('unshare', ['--net', HEALTHCTL, ...args], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      CONTAINERD_ADDRESS: address,
      HEALTHCTL_RUN_ROOT: join(folder, 'run'),
      HEALTHCTL_DATA_ROOT: dataRoot,
      HEALTHCTL_TOML: '/dev/null',
    },
  });
  return { status, stdout, stderr };
}

const WARNING = `WARNING: containerd does not answer: there is no container of namespace default here, so no volume is in use\n`;

describe('volumes without containerd', () => {
  test('can be created, listed, inspected and removed', () => {
    expect(run('volume', 'create', 'data')).toEqual({ status: 0, stdout: 'data\n', stderr: '' });
    expect(run('volume', 'ls', '--quiet')).toEqual({ status: 0, stdout: 'data\n', stderr: '' });
    expect(run('volume', 'inspect', '--format', '{{.Name}}', 'data')).toEqual({
      status: 0,
      stdout: 'data\n',
      stderr: '',
    });
    expect(run('volume', 'rm', 'data')).toEqual({ status: 0, stdout: 'data\n', stderr: WARNING });
    expect(run('volume', 'ls', '--quiet').stdout).toBe('');
  });

  test('can be pruned if no data of a container exist', () => {
    run('volume', 'create', 'data');
    expect(run('volume', 'ls', '-q', '--filter', 'dangling=true').stdout).toBe('data\n');
    const { status, stdout, stderr } = run('volume', 'prune', '--all', '--force');
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('Deleted Volumes:\ndata\n') });
    expect(stderr).toBe(WARNING);
  });

  test.each([
    ['rm', ['rm', 'data']],
    ['rm --force', ['rm', '--force', 'data']],
    ['prune', ['prune', '--all', '--force']],
    ['ls --filter dangling', ['ls', '--filter', 'dangling=true']],
  ])('cannot be removed while data of a container exist, which may use them: %s', (_, args) => {
    run('volume', 'create', 'data');
    mkdirSync(join(dataDir, 'containers/default', 'f'.repeat(64)), { recursive: true });
    const { status, stderr } = run('volume', ...args);
    expect(status).toBe(1);
    expect(stderr).toContain(
      'it is not known which containers use which volumes: cannot connect to containerd: there is no socket at',
    );
    expect(stderr).toContain('start containerd: 1 container of namespace default may use a volume');
    expect(existsSync(content)).toBe(true);
    expect(run('volume', 'ls', '--quiet')).toEqual({ status: 0, stdout: 'data\n', stderr: '' });
  });
});

test('networks without containerd can be created, listed, inspected, removed and pruned', () => {
  expect(run('network', 'create', 'shop').status).toBe(0);
  expect(run('network', 'ls', '--format', '{{.Name}}').stdout).toContain('shop\n');
  expect(run('network', 'inspect', '--format', '{{.Name}}', 'shop').stdout).toBe('shop\n');
  expect(run('network', 'rm', 'shop')).toEqual({ status: 0, stdout: 'shop\n', stderr: '' });
  run('network', 'create', 'shop');
  expect(run('network', 'prune', '--force').stdout).toBe('Deleted Networks:\nshop\n\n');
});
