import { mkdirSync, statSync } from 'node:fs';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { refuseCpuset } from '../../oci/cpuset.ts';
import type { GivenDevice } from '../../oci/devices.ts';
import { type Bind, refuseDuplicates } from '../../oci/mounts.ts';
import type { NamespaceModes } from '../../oci/namespaces.ts';
import { type Limits, resolveResources, resourceWarnings, swapOf } from '../../oci/resources.ts';
import type { HostFacts } from '../../oci/spec.ts';
import type { CreateRequest } from '../../record/create-request.ts';
import type { ContainerContext } from '../context.ts';
import { appArmorOf } from './apparmor.ts';
import { findDevices } from './devices.ts';
import { readCpuset, readHostFacts } from './host-facts.ts';

/** The host-dependent settings of a new container. */
export interface HostNeeds {
  readonly host: HostFacts;
  readonly devices: readonly GivenDevice[];
  /** The AppArmor profile; undefined if the kernel has no AppArmor. */
  readonly apparmor: string | undefined;
}

/**
 * Checks whether the host supports the request; warns about what it cannot do. Throws INVALID with Docker's texts.
 * Creates nothing.
 */
export function hostNeedsOf(ctx: Pick<ContainerContext, 'log'>, request: CreateRequest): HostNeeds {
  const devices = findDevices(request.devices);
  const host = readHostFacts({ withDevices: request.privileged });
  refuseLimits(request, host);
  for (const warning of resourceWarnings({ ...request.limits, ...host })) ctx.log.warn(warning);
  return { host, devices, apparmor: appArmorOf(ctx, request) };
}

/** The values that Docker shows for options that were not given, derived from the host. */
export function shownDefaults(
  limits: Limits,
  modes: NamespaceModes,
  { cgroup2, swapLimit }: HostFacts,
): Pick<CreateRequest, 'limits' | 'namespaces'> {
  const memorySwap = swapLimit ? swapOf(limits) : 0;
  return {
    limits: { ...limits, memorySwap },
    namespaces: { ...modes, cgroup: modes.cgroup || (cgroup2 ? 'private' : 'host') },
  };
}

/** Throws INVALID with Docker's texts for limits that are impossible on this host. */
function refuseLimits({ limits, privileged }: CreateRequest, host: HostFacts): void {
  resolveResources({ ...limits, ...host, privileged, devices: [] });
  const { cpusetCpus: cpus = '', cpusetMems: mems = '' } = limits;
  if (cpus !== '' || mems !== '') refuseCpuset({ cpus, mems }, readCpuset(host));
}

/** Throws with Docker's texts for impossible mounts: two at one path, and a --mount of a missing source. */
export function refuseMounts({ binds, volumes, tmpfs }: CreateRequest): void {
  refuseDuplicates([...binds, ...volumes, ...tmpfs]);
  const missing = binds.find((bind) => !isSourceMade(bind) && !statSync(bind.source, { throwIfNoEntry: false }));
  if (!missing) return;
  const reason = `bind source path does not exist: ${missing.source}`;
  throw new HealthctlError('INVALID', `invalid mount config for type "bind": ${reason}`);
}

/** Docker's -v creates a missing directory on the host; --mount only where its API is asked for that. */
const isSourceMade = ({ mount }: Bind): boolean => mount === undefined || mount.makesSource === true;

export function makeBindSources(binds: readonly Bind[]): void {
  for (const bind of binds) if (isSourceMade(bind)) makeBindSource(bind.source);
}

function makeBindSource(source: string): void {
  try {
    mkdirSync(source, { recursive: true });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && statSync(source, { throwIfNoEntry: false })) return; // a file, a socket, a device
    throw new HealthctlError('INVALID', `error while creating mount source path '${source}': ${messageOf(error)}`, {
      cause: error,
    });
  }
}
