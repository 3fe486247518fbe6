import { expect, test } from 'vitest';
import { goStructOf } from '../go-struct.ts';
import { discardedLimits, discardedOf } from './discarded.ts';

const weight = 'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.';

test.each([
  [{}, []],
  [{ BlkioWeight: 0, BlkioDeviceReadBps: [], BlkioWeightDevice: null, MemorySwappiness: -1 }, []],
  [{ BlkioWeight: 300 }, [weight]],
  [
    { BlkioDeviceWriteIOps: [{ Path: '/dev/vda', Rate: 10 }] },
    [
      'Your kernel does not support IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.',
    ],
  ],
  [
    { MemorySwappiness: 0 },
    [
      'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    ],
  ],
  [{ NetworkMode: 'bridge', PortBindings: { '80/tcp': [{}] } }, []],
  [
    { NetworkMode: 'host', PortBindings: { '80/tcp': [{}] } },
    ['Published ports are discarded when using host network mode'],
  ],
])('%j: %j', (host, warnings) => expect(discardedOf(goStructOf(host))).toEqual(warnings));

test('an update has limits only', () => {
  expect(discardedLimits(goStructOf({ BlkioWeight: 10, NetworkMode: 'host' }))).toEqual([weight]);
});
