import { describe, expect, test } from 'vitest';
import { aRecord } from '../../test/builders/container.ts';
import { aResult, aState, T0 } from '../../test/builders/health.ts';
import { aHealth, aStoredConfig, aView, noHealth, ownRecord } from '../../test/builders/listed.ts';
import { detailsOf } from './details.ts';
import { documentOf } from './document.ts';
import type { ShownHealth } from './shown-health.ts';
import type { ContainerView } from './view.ts';
import { asRestarting } from './view.ts';

const noPaths = { LogPath: '', ResolvConfPath: '', HostnamePath: '', HostsPath: '' };
const document = (view: ContainerView = aView(), health: ShownHealth = aHealth()) =>
  documentOf({ view, health, details: detailsOf(view.record), paths: noPaths });

describe('the document of a container of ours', () => {
  test('has the keys of Docker 28.5 in its order', () => {
    expect(Object.keys(document()).join(' ')).toBe(
      'Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform ' +
        'MountLabel ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver Mounts Config NetworkSettings',
    );
  });

  test('shows the configuration', () => {
    expect(document()).toMatchObject({
      Created: '2026-01-01T00:00:00Z',
      Path: 'sleep',
      Args: ['60'],
      Image: `sha256:${'ab'.repeat(32)}`,
      Name: '/web',
      Platform: 'linux',
      HostConfig: { NetworkMode: 'none', Memory: 67108864, RestartPolicy: { Name: 'no' }, Privileged: false },
      Config: { Image: 'demo:1', Labels: { img: 'yes' }, Cmd: ['sleep', '60'] },
    });
    expect(document().Mounts).toEqual([
      { Type: 'bind', Source: '/srv', Destination: '/data', Mode: 'ro', RW: false, Propagation: 'rprivate' },
      { Type: 'bind', Source: '/tmp', Destination: '/t', Mode: '', RW: true, Propagation: 'rprivate' },
    ]);
  });

  test('shows a running container', () => {
    expect(document().State).toEqual({
      Status: 'running',
      Running: true,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 4711,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
      Health: {
        Status: 'healthy',
        FailingStreak: 0,
        Log: [{ Start: '2026-01-01T00:00:01Z', End: '2026-01-01T00:00:01.01Z', ExitCode: 0, Output: '' }],
      },
    });
    expect(document().NetworkSettings).toMatchObject({ SandboxKey: '/proc/4711/ns/net', Networks: { none: {} } });
  });

  test('shows a paused container, which also counts as running', () => {
    expect(document(aView({ state: 'paused' })).State).toMatchObject({ Running: true, Paused: true, Pid: 4711 });
  });

  test('shows a container that has ended', () => {
    const view = aView({ state: 'exited', exit: { code: 3, atMs: T0 + 1500 } });
    const { State } = document(view, aHealth({ state: aState({ status: 'unhealthy', failingStreak: 2 }), log: [] }));
    expect(State).toMatchObject({
      Status: 'exited',
      Running: false,
      Pid: 0,
      ExitCode: 3,
      FinishedAt: '2026-01-01T00:00:01.5Z',
      Health: { Status: 'unhealthy', FailingStreak: 2, Log: [] },
    });
  });

  test('shows a container that the monitor is about to restart', () => {
    const view = asRestarting(aView({ state: 'exited', exit: { code: 3, atMs: T0 } }));
    expect(document(view).State).toMatchObject({
      ...{ Status: 'restarting', Running: true, Restarting: true, Pid: 0, ExitCode: 3 },
    });
    expect(asRestarting(aView()).state).toBe('running');
  });

  test('shows no health and no times if the container never started', () => {
    const view = aView({ state: 'created', task: undefined, startedAtMs: undefined });
    const { State } = document(view, aHealth({ state: undefined, log: [] }));
    expect(State).toMatchObject({ StartedAt: '0001-01-01T00:00:00Z', FinishedAt: '0001-01-01T00:00:00Z' });
    expect(Object.keys(State)).not.toContain('Health');
  });

  test('shows the health check after Cmd, with the whole content of the label, and has no such key without a check', () => {
    const keys = Object.keys(document().Config);
    expect(keys.indexOf('Healthcheck')).toBe(keys.indexOf('Cmd') + 1);
    expect(document().Config.Healthcheck).toEqual({
      Test: ['CMD-SHELL', 'true'],
      Interval: 30e9,
      Timeout: 30e9,
      StartPeriod: 0,
      StartInterval: 5e9,
      Retries: 3,
    });
    expect(Object.keys(document(aView(), noHealth).Config)).not.toContain('Healthcheck');
  });

  test('keeps the order of the health log', () => {
    const log = [aResult(1000, 1, 'one'), aResult(2000, 0, 'two')];
    expect(document(aView(), aHealth({ log })).State.Health?.Log.map(({ Output }) => Output)).toEqual(['one', 'two']);
  });

  test("shows only the user's labels", () => {
    const record = ownRecord({ labels: { 'nerdctl/name': 'web', 'containerd.io/gc.root': 'x', b: '1', a: '2' } });
    expect(document(aView({ record })).Config.Labels).toEqual({ a: '2', b: '1' });
  });

  test('a damaged stored config counts as none', () => {
    const record = ownRecord({}, { ...aStoredConfig(), ImageId: 7 } as never);
    expect(document(aView({ record })).Image).toBe('docker.io/library/demo:1');
  });
});

describe('the document of a container of another tool', () => {
  const spec = {
    ociVersion: '1.0.2',
    hostname: 'h',
    process: { user: { uid: 5, gid: 6 }, cwd: '/w', args: ['top', '-b'], env: ['A=1'], terminal: true },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/d', type: 'bind', source: '/s', options: ['rbind', 'ro', 'rslave'] },
    ],
    linux: { namespaces: [{ type: 'pid' }], resources: { memory: { limit: 1000 }, pids: { limit: 9 } } },
  };
  const foreign = (specJson: string | undefined) =>
    document(aView({ record: aRecord({ specJson: () => specJson }), name: 'c1' }), noHealth);

  test('comes from the runtime spec and the record', () => {
    expect(foreign(JSON.stringify(spec))).toMatchObject({
      Path: 'top',
      Args: ['-b'],
      Name: '/c1',
      Image: 'docker.io/library/demo:1',
      Config: { Hostname: 'h', User: '5:6', Tty: true, Env: ['A=1'], WorkingDir: '/w', Image: 'demo:1' },
      HostConfig: { NetworkMode: 'host', ReadonlyRootfs: true, Memory: 1000, PidsLimit: 9 },
      Mounts: [{ Source: '/s', Destination: '/d', Mode: 'ro', RW: false, Propagation: 'rslave' }],
    });
  });

  test.each([
    ['none', undefined],
    ['not JSON', '{'],
    ['not a spec', '{"ociVersion":7}'],
  ])('a spec that is %s does not affect the rest', (_, text) => {
    expect(foreign(text)).toMatchObject({ Path: '', Args: [], Name: '/c1', State: { Status: 'running' } });
  });
});
