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
 * The profile that a new container is to have; undefined where there is no AppArmor, which is no error, as with Docker. A privileged container is
 * confined only by a profile of its own (moby daemon/oci_linux.go, WithApparmor).
 */
export function appArmorOf(
  { log }: Pick<ContainerContext, 'log'>,
  { security, privileged }: Pick<CreateRequest, 'security' | 'privileged'>,
  host?: AppArmorHost,
): string | undefined {
  const { apparmor } = security;
  if (isAppArmorEnabled(host)) return apparmor ?? (privileged ? 'unconfined' : DEFAULT_APPARMOR_PROFILE);
  if (apparmor !== undefined && apparmor !== 'unconfined')
    log.warn(`this host has no AppArmor: the profile ${apparmor} confines nothing`);
  return undefined;
}

/** Before a container runs: the kernel must have its profile, if that is ours. Throws as ensureAppArmorProfile. */
export async function ensureAppArmor(
  ctx: Pick<ContainerContext, 'clock'>,
  { record }: Pick<ContainerView, 'record'>,
  host?: AppArmorHost,
): Promise<void> {
  if (!isAppArmorEnabled(host)) return;
  if (specOf(record)?.process?.apparmorProfile === DEFAULT_APPARMOR_PROFILE) await ensureAppArmorProfile(ctx, host);
}
