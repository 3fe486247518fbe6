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

/** What the user asked for. A privileged container is confined only by a profile of its own (moby daemon/oci_linux.go, WithApparmor). */
interface Wish {
  /** Of `--security-opt`. */
  readonly apparmor: string | undefined;
  readonly privileged: boolean;
}

/** Undefined where there is no AppArmor, which is no error, as with Docker. */
function profileFor({ apparmor, privileged }: Wish, host: AppArmorHost | undefined): string | undefined {
  return isAppArmorEnabled(host) ? (apparmor ?? (privileged ? 'unconfined' : DEFAULT_APPARMOR_PROFILE)) : undefined;
}

/** The profile that a new container is to have; undefined where there is no AppArmor. */
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
 * Before a container of ours runs: its spec has the profile that is right for the kernel of now, as with Docker, which decides at each start;
 * the runtime refuses one where there is no AppArmor. And the kernel has the profile, if that is our default.
 *
 * @returns the record as it is then
 * @throws as ensureAppArmorProfile
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
  // Where there is no AppArmor few specs have a profile: told without parsing them.
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
 * Before an exec in a container that our default profile confines: the kernel has it, although something has unloaded the profile since the
 * start, as with Docker (moby daemon/exec_linux.go). Throws as ensureAppArmorProfile.
 */
export async function ensureAppArmorOfExec(
  ctx: Pick<ContainerContext, 'clock'>,
  { apparmorProfile }: { readonly apparmorProfile?: string | undefined },
  host?: AppArmorHost,
): Promise<void> {
  if (apparmorProfile === DEFAULT_APPARMOR_PROFILE && isAppArmorEnabled(host)) await ensureAppArmorProfile(ctx, host);
}

const OPTION = 'apparmor=';
