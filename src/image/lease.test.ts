import { expect, test } from 'vitest';
import type { Lease, Leases } from '../containerd/leases.ts';
import { sweepLeases } from './lease.ts';

function leasesOf(...held: readonly Lease[]) {
  const left = new Map(held.map((lease) => [lease.id, lease]));
  const leases: Leases = {
    create: () => Promise.resolve(),
    delete: ({ id }) => Promise.resolve(void left.delete(id)),
    list: () => Promise.resolve([...left.values()]),
  };
  return { left, leases };
}

test('removes only our own leases whose process has ended', async () => {
  const gone = 'another-boot/1/2/3';
  const { left, leases } = leasesOf(
    { id: 'healthctl-image-1', holder: gone },
    { id: 'healthctl-create-2', holder: gone },
    { id: 'healthctl-image-old', holder: undefined },
    { id: 'healthctl-image-odd', holder: 'who knows' },
    { id: 'nerdctl-1', holder: gone },
  );
  expect(await sweepLeases({ leases })).toBe(2);
  expect([...left.keys()]).toEqual(['healthctl-image-old', 'healthctl-image-odd', 'nerdctl-1']);
});
