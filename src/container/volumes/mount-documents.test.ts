import { expect, test } from 'vitest';
import { parseMountPoints } from '../../record/mount-point.ts';
import { mountPointsOf } from '../../record/stored-config.ts';
import { mountOptionsOf, mountPointsFrom, volumePathsOf } from './mount-documents.ts';

const point = {
  Type: 'volume',
  Name: 'data',
  Source: '/v/data/_data',
  Destination: '/d',
  Driver: 'local',
  Mode: 'z',
  RW: true,
  Propagation: '',
};

test('the mounts in a record are used only if all of them are valid', () => {
  expect(parseMountPoints([point])).toEqual([point]);
  for (const wrong of [{ ...point, Type: 'npipe' }, { ...point, RW: 'yes' }, { ...point, Source: 1 }, null, 'x']) {
    expect(parseMountPoints([point, wrong])).toBeUndefined();
  }
  expect(parseMountPoints({})).toBeUndefined();
});

test('a container by an earlier release has only its binds', () => {
  const stored = {
    Config: { Image: 'x', Tty: false, OpenStdin: false, Labels: {} },
    HostConfig: { NetworkMode: 'none', AutoRemove: false, Binds: ['/a:/b:ro', '/c:/d'] },
    ...{ ImageId: 'sha256:x', Args: [] },
  };
  expect(mountPointsOf(stored)).toEqual([
    { Type: 'bind', Source: '/a', Destination: '/b', Mode: 'ro', RW: false, Propagation: 'rprivate' },
    { Type: 'bind', Source: '/c', Destination: '/d', Mode: '', RW: true, Propagation: 'rprivate' },
  ]);
  expect(mountPointsOf({ ...stored, Mounts: [] })).toEqual([]);
});

test('the mount documents of a new container', () => {
  const volume = { destination: '/d', readOnly: true, noCopy: true, labels: { a: 'b' } };
  const request = {
    binds: [
      {
        ...{ source: '/a', destination: '/b', readOnly: true, propagation: 'rslave' as const },
        mount: { recursive: 'disabled' as const },
      },
    ],
    volumes: [
      { ...volume, name: 'data', isMount: true as const },
      { destination: '/e', readOnly: false, noCopy: false, labels: {} },
    ],
    tmpfs: [
      { destination: '/t', options: ['ro'], mount: { size: 4096, mode: 0o700 } },
      { destination: '/u', options: [] },
    ],
  };
  expect(mountOptionsOf(request)).toEqual({
    Mounts: [
      {
        ...{ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true },
        BindOptions: { Propagation: 'rslave', NonRecursive: true },
      },
      {
        ...{ Type: 'volume', Source: 'data', Target: '/d', ReadOnly: true },
        VolumeOptions: { NoCopy: true, Labels: { a: 'b' } },
      },
      { Type: 'tmpfs', Target: '/t', ReadOnly: true, TmpfsOptions: { SizeBytes: 4096, Mode: 448 } },
    ],
  });
  expect(mountOptionsOf({ binds: [], volumes: [], tmpfs: [] })).toEqual({});
  expect(volumePathsOf(request, ['/image'])).toEqual({ '/image': {}, '/e': {} });
  expect(volumePathsOf({ ...request, volumes: [] }, [])).toBeNull();
  expect(mountPointsFrom(request, []).map(({ Type, Destination, RW }) => [Type, Destination, RW])).toEqual([
    ['bind', '/b', false],
    ['tmpfs', '/t', false],
  ]);
});
