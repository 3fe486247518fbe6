import {
  type AppArmorHost,
  DEFAULT_APPARMOR_PROFILE,
  ensureAppArmorProfile,
  isAppArmorEnabled,
} from '../system/apparmor.ts';
import type { ContainerContext } from './context.ts';
import type { CreateRequest } from './create-request.ts';
import { specOf } from './details.ts';
import type { ContainerView } from './view.ts';

/**
 * The profile that a new container is to have, which the kernel has then if it is ours; undefined where there is no AppArmor, which is no error, as
 * with Docker. A privileged container is confined only by a profile of its own (moby daemon/oci_linux.go, WithApparmor).
 *
 * @throws as ensureAppArmorProfile
 */
export function appArmorOf(
  { log }: Pick<ContainerContext, 'log'>,
  { security, privileged }: Pick<CreateRequest, 'security' | 'privileged'>,
  host?: AppArmorHost,
): string | undefined {
  const { apparmor = privileged ? 'unconfined' : DEFAULT_APPARMOR_PROFILE } = security;
  if (isAppArmorEnabled(host)) {
    if (apparmor === DEFAULT_APPARMOR_PROFILE) ensureAppArmorProfile(host);
    return apparmor;
  }
  if (security.apparmor !== undefined && security.apparmor !== 'unconfined')
    log.warn(`this host has no AppArmor: the profile ${security.apparmor} confines nothing`);
  return undefined;
}

/** Before a container runs: since it was made, the kernel may have forgotten our profile. Throws as ensureAppArmorProfile. */
export function ensureAppArmor({ record }: Pick<ContainerView, 'record'>, host?: AppArmorHost): void {
  if (!isAppArmorEnabled(host)) return;
  if (specOf(record)?.process?.apparmorProfile === DEFAULT_APPARMOR_PROFILE) ensureAppArmorProfile(host);
}
