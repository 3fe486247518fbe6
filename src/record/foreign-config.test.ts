import { describe, expect, test } from 'vitest';
import { aRecord } from '../../test/builders/container.ts';
import { aView, noHealth } from '../../test/builders/listed.ts';
import { readRecording } from '../../testbed/nerdctl-recording.ts';
import { detailsOf } from './details.ts';
import { documentOf } from './document.ts';

const noPaths = { LogPath: '', ResolvConfPath: '', HostnamePath: '', HostsPath: '' };

/** A recorded container of nerdctl. */
const recorded = (version: '2.1.5' | '2.3.5', kind: 'plain' | 'rich' = 'rich') => {
  const { labels, spec } = readRecording(version, kind);
  return aRecord({ id: '<id>', labels, specJson: () => JSON.stringify(spec) });
};
const documentFrom = (record: ReturnType<typeof aRecord>, isNerdctls = true) =>
  documentOf({ view: aView({ record }), health: noHealth, details: detailsOf(record, { isNerdctls }), paths: noPaths });

describe.each(['2.1.5', '2.3.5'] as const)('inspect of a container of nerdctl %s', (version) => {
  test('shows the requested mounts, and none that nerdctl added', () => {
    expect(documentFrom(recorded(version)).Mounts).toEqual([
      {
        ...{ Type: 'volume', Name: 'data', Source: '<store>/volumes/<namespace>/data/_data', Destination: '/data' },
        ...{ Driver: 'local', Mode: '', RW: true, Propagation: '' },
      },
      {
        ...{ Type: 'volume', Name: '<volume>', Source: '<store>/volumes/<namespace>/<volume>/_data' },
        ...{ Destination: '/anonymous', Driver: 'local', Mode: '', RW: true, Propagation: '' },
      },
      { Type: 'bind', Source: '<data root>/host', Destination: '/host', Mode: 'ro', RW: false, Propagation: '' },
      {
        ...{ Type: 'tmpfs', Source: 'tmpfs', Destination: '/scratch', Mode: 'noexec,nosuid,nodev,size=1m' },
        ...{ RW: true, Propagation: '' },
      },
    ]);
    expect(documentFrom(recorded(version, 'plain')).Mounts).toEqual([]);
  });

  test('shows the given options', () => {
    expect(documentFrom(recorded(version))).toMatchObject({
      Config: { Hostname: 'here', User: 'probe', WorkingDir: '/tmp', StopTimeout: 7, Labels: { a: 'b' } },
      HostConfig: {
        ...{ NetworkMode: 'bridge', Memory: 64 << 20, MemorySwap: 128 << 20, CpuQuota: 50_000, CpuPeriod: 100_000 },
        ...{ PidsLimit: 100, CapAdd: ['CAP_NET_ADMIN'], CapDrop: ['CAP_MKNOD'], Dns: ['10.9.9.9'], Privileged: false },
        ...{ ExtraHosts: ['db:10.1.2.3'], ShmSize: 32 << 20, SecurityOpt: ['no-new-privileges'], AutoRemove: false },
        Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
        LogConfig: { Type: 'json-file', Config: {} },
        ...{ IpcMode: 'private', PidMode: '', UTSMode: '', GroupAdd: ['2000'] },
        Sysctls: { 'net.ipv4.ip_forward': '1' },
      },
    });
  });
});

describe("a container of another tool with nerdctl's labels", () => {
  const { labels, spec } = readRecording('2.3.5', 'rich');

  test('gets no mount and no privilege from labels that an image can bring', () => {
    const record = aRecord({
      labels: { ...labels, 'nerdctl/privileged': 'true' },
      specJson: () => JSON.stringify({ ...spec, mounts: [] }),
    });
    const { Mounts, HostConfig, Config } = documentFrom(record, false);
    expect(Mounts).toEqual([]);
    expect(HostConfig).toMatchObject({ Privileged: false, Dns: [], ExtraHosts: null });
    expect(Config.User).toBe('1234:1234');
  });

  test('has a read-only mount if the spec says so now', () => {
    const mounts = (spec.mounts as readonly { destination: string; options: readonly string[] }[]).map((mount) =>
      mount.destination === '/data' ? { ...mount, options: [...mount.options, 'ro'] } : mount,
    );
    const record = aRecord({ labels, specJson: () => JSON.stringify({ ...spec, mounts }) });
    expect(documentFrom(record).Mounts[0]).toMatchObject({ Destination: '/data', RW: false });
  });

  test('ignores damaged labels', () => {
    const damaged = Object.fromEntries(Object.keys(labels).map((key) => [key, '{']));
    const record = aRecord({ id: '<id>', labels: damaged, specJson: () => JSON.stringify(spec) });
    const { HostConfig, Mounts } = documentFrom(record);
    expect(HostConfig).toMatchObject({ Dns: [], Devices: [], ExtraHosts: null, LogConfig: { Type: '', Config: {} } });
    expect(Mounts.map(({ Type, Destination }) => `${Type} ${Destination}`)).toEqual([
      'bind /data',
      'bind /anonymous',
      'bind /host',
    ]);
  });

  test('recognises a namespace of the host by its absence from the spec', () => {
    const specJson = () => JSON.stringify({ ociVersion: '1.3.0', linux: { namespaces: [{ type: 'mount' }] } });
    const { HostConfig } = documentFrom(aRecord({ specJson }));
    expect(HostConfig).toMatchObject({ NetworkMode: 'host', PidMode: 'host', IpcMode: 'host', UTSMode: 'host' });
  });
});
