import { describe, expect, test } from 'vitest';
import { hasCode } from '../../lib/errors.ts';
import { socketPathIn, socketUnitNameOf, socketUnitTextOf, type UnitRequest, unitNameOf, unitTextOf } from './unit.ts';

const request: UnitRequest = {
  settings: {
    address: '/run/containerd/containerd.sock',
    runRoot: '/run/healthctl',
    dataRoot: '/var/lib/healthctl',
    nerdctlDataRoot: '/var/lib/nerdctl',
    snapshotter: 'overlayfs',
  },
  program: ['/usr/bin/node', '--', '/usr/lib/node_modules/healthctl/bin/healthctl'],
  configFile: undefined,
};
const withSettings = (settings: Partial<UnitRequest['settings']>): UnitRequest => ({
  ...request,
  settings: { ...request.settings, ...settings },
});

/** All values of a setting, in order. */
function valuesOf(text: string, name: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));
}

describe('unitNameOf', () => {
  test('the default containerd gives the default name', () => {
    expect(unitNameOf('/run/containerd/containerd.sock')).toBe('healthctl.service');
  });
  test('another containerd gives another name', () => {
    expect(unitNameOf('/run/k3s/containerd/containerd.sock')).toMatch(/^healthctl-[0-9a-f]{8}\.service$/);
  });
});

describe('unitTextOf', () => {
  test('starts this program for this containerd', () => {
    expect(valuesOf(unitTextOf(request), 'ExecStart')).toEqual([
      '/usr/bin/node -- /usr/lib/node_modules/healthctl/bin/healthctl --address /run/containerd/containerd.sock --run-root /run/healthctl --data-root /var/lib/healthctl daemon run',
    ]);
  });

  test('creates directories before the sandbox that needs them', () => {
    const text = unitTextOf(withSettings({ runRoot: '/run/a b', dataRoot: '/srv/100%' }));
    expect(valuesOf(text, 'ExecStartPre')).toEqual([
      '+mkdir -p -m 0700 -- "/run/a b" /srv/100%% /run/healthctl-monitors',
    ]);
    expect(valuesOf(text, 'ReadWritePaths')).toEqual([
      '"-/run/a b" -/srv/100%% -/var/lib/nerdctl -/run/healthctl-monitors -/proc/sys/net -/run/xtables.lock',
    ]);
  });

  test('escapes a dollar sign in a command only', () => {
    const text = unitTextOf(withSettings({ runRoot: '/run/$HOME' }));
    expect(valuesOf(text, 'ExecStart')[0]).toContain('--run-root /run/$$HOME ');
    expect(valuesOf(text, 'ReadWritePaths')[0]).toContain('/run/$HOME ');
  });

  test('passes on a snapshotter and a configuration file', () => {
    const text = unitTextOf({ ...withSettings({ snapshotter: 'zfs' }), configFile: '/etc/my conf.toml' });
    expect(valuesOf(text, 'ExecStart')[0]).toContain(' --snapshotter zfs daemon run');
    expect(valuesOf(text, 'Environment')).toEqual([
      'MALLOC_ARENA_MAX=1',
      'FDSTORE=4096',
      '"HEALTHCTL_TOML=/etc/my conf.toml"',
    ]);
    expect(valuesOf(unitTextOf(request), 'Environment')).toEqual(['MALLOC_ARENA_MAX=1', 'FDSTORE=4096']);
  });

  test.each([
    ['/usr/bin/node', 'yes'],
    ['/home/me/.nvm/versions/node/v20/bin/node', 'read-only'],
    ['/root/.local/bin/node', 'read-only'],
    ['/rooted/node', 'yes'],
  ])('hides home directories unless the program is in them: %s', (node, expected) => {
    expect(valuesOf(unitTextOf({ ...request, program: [node, '--', '/opt/healthctl'] }), 'ProtectHome')).toEqual([
      expected,
    ]);
  });

  test.each(['/run/"a', "/run/'a", '/run/a\\b', '/run/a\nb'])(
    'refuses what the syntax of units cannot express: %j',
    (runRoot) => {
      expect(() => unitTextOf(withSettings({ runRoot }))).toThrow(
        expect.toSatisfy((error: unknown) => hasCode(error, 'INVALID')),
      );
    },
  );

  test('restarts without limit, and has a watchdog', () => {
    const text = unitTextOf(request);
    const settings = ['Type', 'NotifyAccess', 'Restart', 'RestartSec', 'StartLimitIntervalSec', 'WatchdogSec'];
    expect(settings.map((name) => valuesOf(text, name))).toEqual([
      ['notify'],
      ['main'],
      ['always'],
      ['1'],
      ['0'],
      ['30'],
    ]);
  });
});

describe("a unit that serves Docker's API", () => {
  const dockerSocket = { path: '/run/healthctl/docker.sock', group: undefined };

  test('takes the socket of its socket unit, and starts with it', () => {
    const text = unitTextOf({ ...request, dockerSocket });
    expect(valuesOf(text, 'ExecStart')[0]).toMatch(/ daemon run --docker-socket fd:\/\/$/);
    expect(valuesOf(text, 'Requires')).toEqual(['healthctl.socket']);
    expect(valuesOf(text, 'After')).toEqual(['containerd.service healthctl.socket']);
  });

  test.each([[{ dockerSocket }], [{ servesDocker: true }]])('has no mount namespace of its own: %j', (more) => {
    const text = unitTextOf({ ...request, ...more });
    expect(text).not.toMatch(/^(Protect|ReadWritePaths|Private|RestrictSUIDSGID)/m);
    expect(valuesOf(text, 'CapabilityBoundingSet')[0]).toContain('CAP_MKNOD');
    expect(valuesOf(unitTextOf(request), 'CapabilityBoundingSet')[0]).not.toContain('CAP_MKNOD');
  });

  test("the socket is root's, or that of a group too", () => {
    const { settings } = request;
    const modes = (text: string) => ['SocketMode', 'SocketGroup', 'DirectoryMode'].map((name) => valuesOf(text, name));
    expect(modes(socketUnitTextOf(settings, dockerSocket))).toEqual([['0600'], [], ['0700']]);
    const shared = socketUnitTextOf(settings, { ...dockerSocket, group: 'docker' });
    expect(modes(shared)).toEqual([['0660'], ['docker'], ['0711']]);
  });

  test('a path is one value, and is found again', () => {
    const text = socketUnitTextOf(request.settings, { path: '/run/a b/100%.sock', group: undefined });
    expect(valuesOf(text, 'ListenStream')).toEqual(['/run/a b/100%%.sock']);
    expect(socketPathIn(text)).toBe('/run/a b/100%.sock');
    expect(() => socketUnitTextOf(request.settings, { path: '/run/a\nb', group: undefined })).toThrow();
  });

  test('is named like the service', () => {
    expect(socketUnitNameOf('/run/containerd/containerd.sock')).toBe('healthctl.socket');
    expect(socketUnitNameOf('/run/k3s/containerd/containerd.sock')).toMatch(/^healthctl-[0-9a-f]{8}\.socket$/);
  });
});
