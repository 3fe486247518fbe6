import type { ContainerRecord } from '../../containerd/containers.ts';
import { encodeJson } from '../../lib/json.ts';
import { isTexts } from '../../lib/shape.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import { specOf } from '../../record/details.ts';
import type { StoredConfig } from '../../record/stored-config.ts';
import type { ContainerView } from '../../record/view.ts';
import {
  type AppArmorHost,
  DEFAULT_APPARMOR_PROFILE,
  ensureAppArmorProfile,
  isAppArmorEnabled,
} from '../../system/apparmor.ts';
import type { ContainerContext } from '../context.ts';

/**
 * The user's request. A privileged container is confined only by an explicitly requested profile (moby
 * daemon/oci_linux.go, WithApparmor).
 */
interface ProfileRequest {
  /** From `--security-opt`. */
  readonly apparmor: string | undefined;
  readonly privileged: boolean;
}

/** Undefined without AppArmor, which is no error, as in Docker. */
function profileFor({ apparmor, privileged }: ProfileRequest, host: AppArmorHost | undefined): string | undefined {
  return isAppArmorEnabled(host) ? (apparmor ?? (privileged ? 'unconfined' : DEFAULT_APPARMOR_PROFILE)) : undefined;
}

/** The profile for a new container; undefined without AppArmor. */
export function appArmorOf(
  { log }: Pick<ContainerContext, 'log'>,
  { security, privileged }: Pick<CreateRequest, 'security' | 'privileged'>,
  host?: AppArmorHost,
): string | undefined {
  const { apparmor } = security;
  const profile = profileFor({ apparmor, privileged }, host);
  if (profile === undefined && apparmor !== undefined && apparmor !== 'unconfined')
    log.warn(`this host has no AppArmor: the profile ${apparmor} confines nothing`);
  return profile;
}

/**
 * Call it before a container of ours runs. It gives the spec the profile that suits the present kernel, as Docker does
 * at each start; without AppArmor the runtime refuses a profile. It also loads our default profile, if used.
 *
 * @returns the updated record
 * @throws errors of ensureAppArmorProfile
 */
export async function ensureAppArmor(
  ctx: Pick<ContainerContext, 'clock' | 'containerd' | 'log'>,
  { record, name }: Pick<ContainerView, 'record' | 'name'>,
  { HostConfig }: StoredConfig,
  host?: AppArmorHost,
): Promise<ContainerRecord> {
  const options = isTexts(HostConfig.SecurityOpt) ? HostConfig.SecurityOpt : [];
  const apparmor = options.findLast((text) => text.startsWith(OPTION))?.slice(OPTION.length);
  const wanted = profileFor({ apparmor, privileged: HostConfig.Privileged === true }, host);
  if (wanted === DEFAULT_APPARMOR_PROFILE) await ensureAppArmorProfile(ctx, host);
  // Without AppArmor few specs have a profile: this check avoids parsing them.
  if (wanted === undefined && !record.specJson()?.includes('"apparmorProfile"')) return record;
  const spec = specOf(record);
  if (!spec?.process || spec.process.apparmorProfile === wanted) return record;
  const { apparmorProfile: had, ...process } = spec.process;
  const json = encodeJson({ ...spec, process: { ...process, apparmorProfile: wanted } });
  await ctx.containerd.containers.setSpec(record.id, json);
  if (wanted === undefined && had !== 'unconfined')
    ctx.log.warn(`this host has no AppArmor: ${name} runs without its profile ${had}`);
  return { ...record, specJson: () => json };
}

/**
 * Call it before an exec in a container confined by our default profile: it loads the profile if it was unloaded since
 * the start, as Docker does (moby daemon/exec_linux.go). Throws errors of ensureAppArmorProfile.
 */
export async function ensureAppArmorOfExec(
  ctx: Pick<ContainerContext, 'clock'>,
  { apparmorProfile }: { readonly apparmorProfile?: string | undefined },
  host?: AppArmorHost,
): Promise<void> {
  if (apparmorProfile === DEFAULT_APPARMOR_PROFILE && isAppArmorEnabled(host)) await ensureAppArmorProfile(ctx, host);
}

const OPTION = 'apparmor=';
