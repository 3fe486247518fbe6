import type { ContainerRecord } from '../containerd/containers.ts';
import { encodeJson } from '../lib/json.ts';
import { LABELS } from '../lib/labels.ts';
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

/**
 * Before a container runs: the kernel must have its profile, if that is ours. One that was made where there was AppArmor runs without a
 * profile where there is none, as with Docker, which decides at each start; the runtime would refuse it.
 *
 * @returns the record as it is then
 * @throws as ensureAppArmorProfile
 */
export async function ensureAppArmor(
  ctx: Pick<ContainerContext, 'clock' | 'containerd' | 'log'>,
  { record, name }: Pick<ContainerView, 'record' | 'name'>,
  host?: AppArmorHost,
): Promise<ContainerRecord> {
  // Where there is no AppArmor no spec has one: told without parsing it.
  if (!record.specJson()?.includes('"apparmorProfile"')) return record;
  const spec = specOf(record);
  const profile = spec?.process?.apparmorProfile;
  if (!spec?.process || profile === undefined) return record;
  if (isAppArmorEnabled(host)) {
    if (profile === DEFAULT_APPARMOR_PROFILE) await ensureAppArmorProfile(ctx, host);
    return record;
  }
  if (record.labels[LABELS.owner] === undefined) return record;
  const { apparmorProfile: _profile, ...process } = spec.process;
  const json = encodeJson({ ...spec, process });
  await ctx.containerd.containers.setSpec(record.id, json);
  if (profile !== 'unconfined') ctx.log.warn(`this host has no AppArmor: ${name} runs without its profile ${profile}`);
  return { ...record, specJson: () => json };
}
