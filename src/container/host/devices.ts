import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, fileReasonOf, HealthctlError } from '../../lib/errors.ts';
import type { DeviceRequest, GivenDevice } from '../../oci/devices.ts';
import { deviceAt } from './host-facts.ts';

/**
 * The devices named by `--device`; for a directory all devices below it. A symbolic link of the host is followed (moby
 * daemon/pkg/oci/devices_linux.go).
 *
 * @throws INVALID with Docker's text for a missing path or anything but a device
 */
export function findDevices(requests: readonly DeviceRequest[]): readonly GivenDevice[] {
  return requests.flatMap(({ host, container, access }) => {
    const found = devicesBelow(realPathOf(host), container);
    if (found.length === 0) throw cannotGather(host, 'not a device node');
    return found.map((device) => ({ device, access }));
  });
}

function devicesBelow(path: string, target: string): readonly GivenDevice['device'][] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isCharacterDevice() || stat?.isBlockDevice())
    return deviceAt(path).map((device) => ({ ...device, path: target }));
  if (!stat?.isDirectory()) return [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isSymbolicLink() ? [] : devicesBelow(join(path, entry.name), join(target, entry.name)),
  );
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw cannotGather(path, fileReasonOf(error), error);
  }
}

function cannotGather(path: string, reason: string, cause?: unknown): HealthctlError {
  const what = `error gathering device information while adding custom device ${JSON.stringify(path)}`;
  return new HealthctlError('INVALID', `${what}: ${reason}`, { cause });
}
