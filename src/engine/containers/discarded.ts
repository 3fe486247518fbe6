import type { GoStruct } from '../go-struct.ts';

const unsupported = (what: string, discarded: string): string =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${discarded} discarded.`;

/** Limits that healthctl does not set, with Docker's warnings for a kernel without them (moby: daemon/daemon_unix.go). */
const NOT_SET: readonly (readonly [key: string, warning: string])[] = [
  ['BlkioWeight', unsupported('Block I/O weight', 'Weight')],
  ['BlkioWeightDevice', unsupported('Block I/O weight_device', 'Weight-device')],
  ['BlkioDeviceReadBps', unsupported('BPS Block I/O read limit', 'Block I/O BPS read limit')],
  ['BlkioDeviceWriteBps', unsupported('BPS Block I/O write limit', 'Block I/O BPS write limit')],
  ['BlkioDeviceReadIOps', unsupported('IOPS Block read limit', 'Block I/O IOPS read limit')],
  ['BlkioDeviceWriteIOps', unsupported('IOPS Block write limit', 'Block I/O IOPS write limit')],
];

/** Warnings for limits in a HostConfig, or in an update, that have no effect. */
export function discardedLimits(resources: GoStruct): readonly string[] {
  const isAsked = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : Boolean(value));
  return NOT_SET.flatMap(([key, warning]) => (isAsked(resources.raw(key)) ? [warning] : []));
}

/** Warnings for what a HostConfig asks for without effect. */
export function discardedOf(host: GoStruct): readonly string[] {
  const { size = 0 } = host.structLists('PortBindings') ?? {};
  const isPublished = host.text('NetworkMode') === 'host' && size > 0;
  return [
    ...discardedLimits(host),
    ...((host.int('MemorySwappiness') ?? -1) >= 0
      ? [unsupported('memory swappiness capabilities', 'Memory swappiness')]
      : []),
    ...(isPublished ? ['Published ports are discarded when using host network mode'] : []),
  ];
}
