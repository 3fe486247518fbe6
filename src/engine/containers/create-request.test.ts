import { describe, expect, test } from 'vitest';
import { goStructOf } from '../go-struct.ts';
import { createRequestFrom } from './create-request.ts';
import { parseLink } from './network-request.ts';

const request = (body: Readonly<Record<string, unknown>>, minor = 51) =>
  createRequestFrom(goStructOf({ Image: 'web', ...body }), {
    ...{ name: '/c', version: { major: 1, minor }, defaultNetwork: 'bridge' },
  });
const withHost = (HostConfig: object, body: object = {}, minor = 51) => request({ ...body, HostConfig }, minor);

test('a Go client sends every key with its zero value: nothing is asked for', () => {
  const zeros = {
    ...{ Hostname: '', User: '', Tty: false, Env: null, Cmd: null, Entrypoint: null, Healthcheck: null, Labels: {} },
    HostConfig: {
      ...{ Binds: null, NetworkMode: 'default', PortBindings: {}, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } },
      ...{
        Memory: 0,
        PidsLimit: 0,
        MemorySwappiness: -1,
        OomKillDisable: false,
        CapAdd: null,
        LogConfig: { Type: '', Config: {} },
      },
      ...{
        ShmSize: 0,
        Ulimits: null,
        UsernsMode: '',
        IpcMode: '',
        Devices: [],
        DeviceRequests: null,
        VolumesFrom: null,
      },
    },
    NetworkingConfig: { EndpointsConfig: { default: { IPAMConfig: null, Aliases: null } } },
  };
  const { shownHostConfig: _zeros, ...asked } = request(zeros);
  const { shownHostConfig: _none, ...plain } = request({});
  expect(asked).toEqual(plain);
  expect(asked).toMatchObject({ name: 'c', network: 'bridge', health: undefined, limits: {}, command: [] });
});

test('before API 1.44, what is mounted below a read-only bind stays writable', () => {
  const mount = { Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true };
  const host = { Binds: ['/x:/y:ro'], Mounts: [mount] };
  expect(withHost(host, {}, 43).binds.map(({ isWritableBelow }) => isWritableBelow)).toEqual([true, true]);
  expect(withHost(host, {}, 44).binds.map(({ isWritableBelow }) => isWritableBelow)).toEqual([undefined, undefined]);
  const BindOptions = { ReadOnlyForceRecursive: true, Propagation: 'rprivate' };
  expect(() => withHost({ Mounts: [{ ...mount, BindOptions }] }, {}, 43)).toThrow('needs API v1.44');
});

test('a volume of another driver is refused', () => {
  const withDriver = (DriverConfig: object) =>
    withHost({ Mounts: [{ Type: 'volume', Target: '/a', VolumeOptions: { DriverConfig } }] });
  expect(() => withDriver({ Name: 'nfs' })).toThrow('error looking up volume plugin nfs: plugin "nfs" not found');
  expect(withDriver({ Name: 'local', Options: null }).volumes).toHaveLength(1);
});

test('a link is read in both forms of Docker', () => {
  expect(['db', 'db:data', 'db:/data', '/db:/web/data'].map(parseLink)).toEqual([
    { name: 'db', alias: 'db' },
    { name: 'db', alias: 'data' },
    { name: 'db', alias: 'data' },
    { name: 'db', alias: 'data' },
  ]);
  expect(() => parseLink('a:b:c')).toThrow('bad format for links: a:b:c');
});

test('the size of a terminal is rows and columns', () => {
  expect(withHost({ ConsoleSize: [24, 80] }, { Tty: true }).consoleSize).toEqual({ height: 24, width: 80 });
  expect(withHost({ ConsoleSize: [24, 80] }, {}).consoleSize).toBeUndefined();
  expect(withHost({ ConsoleSize: [0, 0] }, { Tty: true }).consoleSize).toBeUndefined();
});

describe('ports', () => {
  const bindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8000-8010' }], '81/tcp': [{ HostPort: '' }] };
  test('one that is not exposed is not published', () => {
    const { networking } = withHost({ PortBindings: bindings }, { ExposedPorts: { '80/tcp': {} } });
    expect(networking.publish).toEqual([
      { hostIp: '127.0.0.1', firstHostPort: 8000, lastHostPort: 8010, containerPort: 80, protocol: 'tcp' },
    ]);
    expect(networking.expose).toEqual(['80/tcp']);
  });
  test('one without a protocol is TCP, and one of the host that is no number is refused', () => {
    const exposed = { ExposedPorts: { '81': {} } };
    expect(withHost({ PortBindings: { '81': [{}] } }, exposed).networking.publish).toHaveLength(1);
    expect(() => withHost({ PortBindings: { '81': [{ HostPort: 'x' }] } }, exposed)).toThrow('"x"');
  });
});

describe('networks', () => {
  const NetworkingConfig = {
    EndpointsConfig: { back: { Aliases: ['db'] }, front: { IPAMConfig: { IPv4Address: '10.1.0.9' } } },
  };
  test('that of the mode comes first', () => {
    expect(withHost({ NetworkMode: 'front' }, { NetworkingConfig }).networking.endpoints).toMatchObject([
      { network: 'front', ipv4Address: '10.1.0.9', aliases: [] },
      { network: 'back', aliases: ['db'] },
    ]);
  });
  test('before 1.44 there is one', () => {
    expect(() => withHost({ NetworkMode: 'front' }, { NetworkingConfig }, 43)).toThrow(
      'Container cannot be created with multiple network endpoints: back, front',
    );
    const one = { EndpointsConfig: { front: { MacAddress: '02:00:00:00:00:01', GwPriority: 3 } } };
    const old = (version: number, over = {}) =>
      withHost({ NetworkMode: 'front' }, { NetworkingConfig: one, ...over }, version).networking.endpoints;
    expect(old(43)).toEqual([expect.objectContaining({ network: 'front', gatewayPriority: 0 })]);
    expect(old(43)[0]?.mac).toBeUndefined();
    expect(old(43, { MacAddress: '02:00:00:00:00:02' })[0]?.mac).toBe('02:00:00:00:00:02');
    expect([old(47)[0]?.gatewayPriority, old(48)[0]?.gatewayPriority]).toEqual([0, 3]);
    expect(() => old(44, { MacAddress: '02:00:00:00:00:02' })).toThrow('the container-wide MAC address must match');
  });
  test('settings of eth0 belong to the main network; since 1.48 they are options of a network', () => {
    const Sysctls = { 'net.ipv4.conf.eth0.forwarding': '1', 'net.ipv4.ip_forward': '1' };
    const { sysctls, networking } = withHost({ NetworkMode: 'front', Sysctls }, {}, 47);
    expect(sysctls).toEqual({ 'net.ipv4.ip_forward': '1' });
    expect(networking.endpoints[0]?.driverOpts).toEqual({
      'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.forwarding=1',
    });
    expect(() => withHost({ NetworkMode: 'front', Sysctls }, {}, 48)).toThrow(
      'interface specific sysctl setting "net.ipv4.conf.eth0.forwarding" must be supplied using driver option',
    );
    expect(() => withHost({ Sysctls: { 'net.ipv4.conf.eth1.forwarding': '1' } }, {}, 47)).toThrow(
      'unable to determine network endpoint for sysctl net.ipv4.conf.eth1.forwarding',
    );
  });
  test('links of the container belong to its main network; without settings it is on that alone', () => {
    expect(withHost({ NetworkMode: 'front', Links: ['db:data', 'x', '/y:/web/z'] }).networking.endpoints).toMatchObject(
      [{ network: 'front', links: ['db:data', 'x:x', 'y:z'] }],
    );
    expect(withHost({}, { NetworkingConfig }).networking.endpoints.map(({ network }) => network)).toEqual([
      'back',
      'front',
    ]);
  });
  test('the default has its settings under three names', () => {
    for (const name of ['default', 'bridge', '']) {
      const config = { EndpointsConfig: { [name || 'default']: { MacAddress: '02:42:AC:11:00:02' } } };
      const { network, networking } = withHost({ NetworkMode: name }, { NetworkingConfig: config });
      expect([network, networking.endpoints[0]?.mac]).toEqual(['bridge', '02:42:ac:11:00:02']);
    }
  });
  test('a configured default is for those that ask for none, not for those that ask for the bridge', () => {
    const networkOf = (NetworkMode: string) =>
      createRequestFrom(goStructOf({ Image: 'web', HostConfig: { NetworkMode } }), {
        ...{ name: '/c', version: { major: 1, minor: 51 }, defaultNetwork: 'none' },
      }).network;
    expect(['', 'default', 'bridge'].map(networkOf)).toEqual(['none', 'none', 'bridge']);
  });
  test.each(['none', 'host', 'container:x'])('%s has none', (NetworkMode) => {
    expect(withHost({ NetworkMode }).networking.endpoints).toEqual([]);
  });
});

describe('the entrypoint', () => {
  test.each([
    [{ Entrypoint: ['a', 'b'] }, ['a', 'b']],
    [{ Entrypoint: 'a b' }, ['a b']],
    [{ Entrypoint: [''] }, ['']],
    [{ Entrypoint: [] }, []],
    [{ Entrypoint: null }, undefined],
  ])('%j', (body, entrypoint) => {
    expect(request(body).entrypoint).toEqual(entrypoint);
  });
});

describe('mounts', () => {
  test('binds, named and anonymous volumes, tmpfs', () => {
    const { binds, volumes, tmpfs } = withHost(
      {
        Binds: ['/host:/a:ro', 'data:/b'],
        Mounts: [{ Type: 'volume', Source: 'more', Target: '/c', VolumeOptions: { NoCopy: true } }],
        Tmpfs: { '/t': 'size=1m' },
      },
      { Volumes: { '/b': {}, '/d': {} } },
    );
    expect(binds).toMatchObject([{ source: '/host', destination: '/a', readOnly: true }]);
    expect(volumes).toMatchObject([
      { name: 'data', destination: '/b' },
      { name: 'more', destination: '/c', noCopy: true },
      { destination: '/d' },
    ]);
    expect(tmpfs[0]?.options).toContain('size=1m');
  });
});

test('a seccomp profile comes as its content', () => {
  expect(
    withHost({ SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}', 'no-new-privileges'] }).security,
  ).toMatchObject({
    noNewPrivileges: true,
    seccompProfile: '{"defaultAction":"SCMP_ACT_ALLOW"}',
  });
  expect(() => withHost({ SecurityOpt: ['seccomp=/etc/passwd'] })).toThrow('send its content');
});

test('the document shows lists as they were sent, and none of what a start reads', () => {
  const { shownHostConfig } = withHost({ Dns: [], CapAdd: ['ALL'], Sysctls: { a: 'b' }, Tmpfs: {} });
  expect(shownHostConfig).toMatchObject({ Dns: [], ExtraHosts: null, Links: null, Sysctls: { a: 'b' } });
  for (const key of ['Tmpfs', 'PidMode']) expect(shownHostConfig).not.toHaveProperty(key);
  expect(withHost({ PortBindings: { '80/tcp': [{}] } }).shownHostConfig).not.toHaveProperty('PortBindings');
  expect(shownHostConfig).toHaveProperty('PortBindings', null);
  expect(shownHostConfig).toHaveProperty('CapAdd', ['ALL']);
});
