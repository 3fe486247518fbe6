import { describe, expect, test } from 'vitest';
import { type OwnContainer, planUninstall, type Survey, textOfStep } from './plan.ts';

const NOTHING: Survey = {
  ...{ hostId: '1935db59', runRoot: '/run/healthctl', dataRoot: '/var/lib/healthctl' },
  ...{ monitor: undefined, units: [], timers: [], containers: [], hasContainerd: true, volumes: 0, networks: [] },
  ...{ bridges: [], chains: [], hasAppArmorProfile: false, others: [], configFile: undefined },
  has: { run: false, data: false, compileCache: false, claims: false },
};
const container = (over: Partial<OwnContainer> = {}): OwnContainer => ({
  ...{ namespace: 'default', id: 'a'.repeat(64), name: 'web', isUp: false, hasRecord: true },
  ...over,
});
const ALL = { run: true, data: true, compileCache: true, claims: true };

const kinds = (survey: Partial<Survey>, isPurge = false) =>
  planUninstall({ ...NOTHING, ...survey }, { isPurge }).steps.map((step) =>
    'path' in step ? `${step.kind} ${step.path}` : step.kind,
  );
const kept = (survey: Partial<Survey>, isPurge = false) => planUninstall({ ...NOTHING, ...survey }, { isPurge }).kept;
const IMAGES = 'in containerd: images, which other tools may use';

describe('the steps of an uninstall', () => {
  test('are none if nothing is there', () => expect(kinds({})).toEqual([]));

  test('remove what starts programs before the programs, and directories last', () => {
    const survey: Partial<Survey> = {
      ...{
        monitor: '7',
        units: ['healthctl.service', 'healthctl.socket'],
        timers: ['healthctl-check-1935db59-default-a.timer'],
      },
      ...{ bridges: ['hctl0'], chains: ['HCTL-NAT-1935db59'], hasAppArmorProfile: true, has: ALL },
      ...{ containers: [container({ isUp: true })] },
    };
    expect(kinds(survey, true)).toEqual([
      ...['stop-containers', 'units', 'monitor', 'timers', 'remove-containers', 'networks', 'apparmor-profile'],
      'directory /run/healthctl/1935db59',
      'directory /var/lib/healthctl/compile-cache',
      'directory /var/lib/healthctl/1935db59',
      'root /run/healthctl',
      'root /var/lib/healthctl',
      'root /run/healthctl-monitors',
    ]);
  });

  test.each([
    ['a volume', { volumes: 1 }],
    ['a container', { containers: [container()] }],
    ['what is left of a container', { containers: [container({ hasRecord: false })] }],
    ['a network', { networks: ['shop'] }],
  ])('keep data if there is %s, and remove them with --purge', (_, survey) => {
    expect(kinds({ ...survey, has: ALL })).not.toContain('directory /var/lib/healthctl/1935db59');
    expect(kinds({ ...survey, has: ALL }, true)).toContain('directory /var/lib/healthctl/1935db59');
  });

  test('remove data without user content even without --purge', () =>
    expect(kinds({ has: ALL })).toContain('directory /var/lib/healthctl/1935db59'));

  test('stop and remove no container without containerd', () => {
    const survey = { containers: [container({ isUp: true })], hasContainerd: false };
    expect(kinds(survey, true)).toEqual([]);
  });

  test('remove directories that earlier steps create again', () => {
    expect(kinds({ containers: [container()], has: { ...ALL, run: false } }, true)).toContain(
      'directory /run/healthctl/1935db59',
    );
    expect(kinds({ bridges: ['hctl0'] })).toEqual([
      'networks',
      'directory /var/lib/healthctl/1935db59',
      'root /var/lib/healthctl',
    ]);
  });

  test('keep the AppArmor profile if containers of another containerd use it', () =>
    expect(kinds({ hasAppArmorProfile: true, others: ['/run/healthctl/aaaaaaaa'] })).toEqual([]));
});

describe('the list of what remains', () => {
  test('has data, records and networks', () => {
    expect(kept({ volumes: 2, containers: [container()], networks: ['shop'], has: ALL })).toEqual([
      '/var/lib/healthctl/1935db59/volumes: 2 volumes',
      '/var/lib/healthctl/1935db59/containers: output of 1 container',
      '/var/lib/healthctl/1935db59/network: 1 network: shop',
      'in containerd: 1 container: web',
      IMAGES,
    ]);
  });

  test('with --purge has only what belongs to others', () =>
    expect(
      kept({ volumes: 2, containers: [container()], has: ALL, others: ['/x'], configFile: '/etc/x.toml' }, true),
    ).toEqual([IMAGES, '/etc/x.toml', '/x']));

  test('has records in a containerd that does not answer', () =>
    expect(kept({ containers: [container()], hasContainerd: false, has: ALL }, true)).toEqual([
      'in containerd: 1 container: web',
      IMAGES,
    ]));
});

test('each step has a text', () => {
  expect(textOfStep({ kind: 'stop-containers', containers: [container(), container({ name: 'db' })] })).toBe(
    'the runs of 2 containers, by stopping: web, db',
  );
  expect(textOfStep({ kind: 'networks', bridges: ['hctl0'], chains: ['HCTL-NAT-1'] })).toBe(
    'bridges and chains of iptables: hctl0, HCTL-NAT-1',
  );
  expect(textOfStep({ kind: 'units', names: ['healthctl.service'] })).toBe(
    'the unit healthctl.service, with the monitor that it runs',
  );
  expect(textOfStep({ kind: 'units', names: ['healthctl.service', 'healthctl.socket'] })).toBe(
    'the units healthctl.service and healthctl.socket, with the monitor that it runs',
  );
  expect(textOfStep({ kind: 'root', path: '/run/healthctl' })).toBe('/run/healthctl, if nothing else is in it');
});
