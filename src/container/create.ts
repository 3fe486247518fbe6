import { mkdirSync, rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Containerd } from '../containerd/client.ts';
import type { ContainerRecord } from '../containerd/containers.ts';
import { restartPolicyText } from '../health/restart-policy.ts';
import { trustedImageLabels } from '../image/config.ts';
import { ensureUnpacked, type ResolvedImage } from '../image/find.ts';
import { version } from '../lib/build-info.ts';
import { dataDirOf, namespaceRunDir, runDirOf } from '../lib/dirs.ts';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { encodeJson } from '../lib/json.ts';
import { isReservedLabel, LABELS } from '../lib/labels.ts';
import { randomHex } from '../lib/random.ts';
import { CONFIG_EXTENSION } from '../lib/trusted-labels.ts';
import { parseDeviceRule } from '../oci/devices.ts';
import { joinedContainer, type NamespaceModes } from '../oci/namespaces.ts';
import type { SecurityOptions } from '../oci/parse.ts';
import { resolveArgs } from '../oci/process.ts';
import { parseSignal } from '../oci/signal.ts';
import { buildSpec, type ImageDefaults, type SpecOptions } from '../oci/spec.ts';
import { resolveUser } from '../oci/user.ts';
import type { CreateRequest } from '../record/create-request.ts';
import { healthLabelsFrom } from '../record/health-labels.ts';
import { ownIdentity } from '../system/process-identity.ts';
import { readFilesInRoot } from '../system/rootfs.ts';
import { type ContainerContext, makeDataDir } from './context.ts';
import { findInit } from './host/host-facts.ts';
import { type HostNeeds, hostNeedsOf, makeBindSources, refuseMounts, shownDefaults } from './host/host-needs.ts';
import { canReadOnlyBelow } from './host/read-only-below.ts';
import { chooseRuntime } from './host/runtime.ts';
import { liveFileOf } from './logs/output-files.ts';
import { checkName, inventName, refuseTakenName, withNamesLock } from './names.ts';
import { resolveModes } from './namespaces.ts';
import { nerdctlAnnotations } from './nerdctl/annotations.ts';
import { noteForNerdctl, withNerdctlName } from './nerdctl/store.ts';
import { writeGeneratedFiles } from './network/generated-files.ts';
import { networkNamesOf, type Placement, placeContainer, specNetworkOf } from './network/placement.ts';
import { refuseNoFile } from './pidfile.ts';
import { refuseKubernetesActions } from './refuse-kubernetes.ts';
import { sharedMemoryOf } from './shared-memory.ts';
import { storedConfigFrom } from './stored-config-from.ts';
import { partPathOf } from './volumes/parts.ts';
import { bindOfVolume, type UsedVolume, volumeRequestsOf, withVolumes } from './volumes/request.ts';
import { withRootPropagation } from './volumes/root-propagation.ts';
import { followedWorkingDir } from './working-dir.ts';

export interface CreateDeps {
  /** The image; pulled if requested. Throws NOT_FOUND. */
  readonly findImage: () => Promise<ResolvedImage>;
  /** The PATH for programs of `--init` and `--runtime`. */
  readonly path: string;
  readonly signal?: AbortSignal;
  /** Gets what is odd about the health check. Default: the log. */
  readonly onHealthWarning?: (text: string) => void;
}

export interface Created {
  readonly record: ContainerRecord;
  readonly name: string;
}

/** When containerd drops the objects of a create that was killed. */
const LEASE_LIFE_MS = 60 * 60 * 1000;
/** A real /etc/passwd has some thousand lines at most. */
const MAX_PASSWD_BYTES = 4 << 20;

/**
 * Creates a container that can be started. All refusals come before anything is created; if it fails later, or is
 * cancelled, nothing is left: no snapshot, no lease, no directory, no name.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and the small functions that change it
export async function createContainer(ctx: ContainerContext, asked: CreateRequest, deps: CreateDeps): Promise<Created> {
  const request = { ...asked, binds: asked.binds.map((bind) => withRootPropagation(ctx, bind)) };
  refuseKubernetesActions(ctx.containerd.namespace, request);
  if (request.name !== undefined) checkName(request.name);
  for (const key of Object.keys(request.labels)) refuseReserved(key);
  if (request.stopSignal !== undefined) parseSignal(request.stopSignal);
  if (request.pidfile !== undefined) refuseNoFile(request.pidfile);
  refuseMounts(request);
  const onHost = hostNeedsOf(ctx, request);
  const runtime = chooseRuntime(request.runtime, deps.path);
  const readOnlyBelow = await canReadOnlyBelow(ctx, request, {
    ...{ runtime, path: deps.path, kernelVersion: onHost.host.kernelVersion },
  });
  if (request.name !== undefined) await refuseTakenName(ctx, request.name);
  const placement = await placeContainer(ctx, request);
  const { modes, ipcDonor } = await resolveModes(ctx, request.namespaces);
  const image = await deps.findImage();
  const health = healthLabelsFrom({
    image: image.familiarName,
    imageValue: image.config.healthcheck,
    flags: request.health,
  });
  const { onHealthWarning = ctx.log.warn } = deps;
  for (const warning of health.warnings) onHealthWarning(warning);
  const chainId = await ensureUnpacked(ctx, image, {
    snapshotter: ctx.snapshotter,
    ...(deps.signal ? { signal: deps.signal } : {}),
  });

  const id = randomHex(32);
  const shm = sharedMemoryOf(ctx, { id, ipc: modes.ipc, donor: ipcDonor });
  return withRollback(ctx, id, async (leased) => {
    const mounts = await leased.snapshots.prepare({ snapshotter: ctx.snapshotter, key: id, parent: chainId });
    const user = userOf(ctx, request, image, mounts);
    const requests = volumeRequestsOf(request, image.config.volumes);
    return withVolumes(ctx, { requests, rootfs: mounts, signal: deps.signal }, async (volumes) => {
      const options = specOptionsOf(ctx, {
        ...onHost,
        ...{ id, request, placement, image, user, volumes, modes, shm },
        ...{ path: deps.path, readOnlyBelow },
      });
      const spec = buildSpec({ ...options, ...followedWorkingDir(ctx, options, mounts) });
      const stored = storedConfigFrom({ ...request, ...shownDefaults(request.limits, modes, onHost.host) }, image, {
        network: placement.mode,
        endpoints: placement.endpoints,
        hostname: options.hostname,
        env: spec.process?.env ?? [],
        args: argsOf(request, image),
        volumes,
      });
      const labels = {
        ...labelsOf(ctx, { id, request, placement, image, modes, hostname: options.hostname }),
        ...health.labels,
        ...health.originLabels,
      };
      return withNamesLock(
        ctx,
        async () => {
          const name = request.name ?? (await inventName(ctx));
          if (request.name !== undefined) await refuseTakenName(ctx, name);
          const named = { ...labels, [LABELS.name]: name };
          if (deps.signal?.aborted) throw new HealthctlError('ABORTED', 'the create was cancelled');
          const make = () => {
            makeDataDir(ctx.dirs, { namespace: ctx.containerd.namespace, id });
            writeFilesFor(ctx, { id, request, placement, hostname: options.hostname });
            return leased.containers.create({
              id,
              labels: named,
              image: image.name,
              runtime: runtime.shim,
              ...(runtime.options ? { runcOptions: runtime.options } : {}),
              snapshotter: ctx.snapshotter,
              snapshotKey: id,
              specJson: encodeJson(spec),
              extensions: { [CONFIG_EXTENSION]: encodeJson(stored) },
            });
          };
          const record = await withNerdctlName(ctx, { id, name }, make);
          const { hostname, domainname = '' } = options;
          await noteForNerdctl(ctx, { id, name, hostname, domainname });
          return { record, name };
        },
        deps.signal,
      );
    });
  });
}

/** Each start of ours writes them; but the first start may be nerdctl's, which mounts what is there. */
function writeFilesFor(
  ctx: ContainerContext,
  parts: Pick<SpecParts, 'id' | 'request' | 'placement'> & { readonly hostname: string },
): void {
  const { id, request, placement, hostname } = parts;
  const dir = dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id });
  writeGeneratedFiles(dir, { network: placement.mode, names: request.networking, hostname }, ctx.dirs);
}

/** A lease holds the new objects during the creation; on failure they are all removed. */
async function withRollback<T>(
  ctx: ContainerContext,
  id: string,
  work: (leased: Containerd) => Promise<T>,
): Promise<T> {
  const leaseId = `healthctl-create-${id.slice(0, 16)}`;
  const expiresAtMs = ctx.clock.now() + LEASE_LIFE_MS;
  await ctx.containerd.leases.create({ id: leaseId, expiresAtMs, holder: ownIdentity() });
  try {
    return await work(ctx.containerd.withLease(leaseId));
  } catch (error) {
    await ctx.containerd.snapshots.remove({ snapshotter: ctx.snapshotter, key: id }).catch((failure: unknown) => {
      ctx.log.debug(`snapshot ${id} is left to containerd's collector: ${messageOf(failure)}`);
    });
    rmSync(dataDirOf(ctx.dirs, { namespace: ctx.containerd.namespace, id }), { recursive: true, force: true });
    throw error;
  } finally {
    await ctx.containerd.leases.delete({ id: leaseId }).catch((failure: unknown) => {
      ctx.log.debug(`lease ${leaseId} is left to expire: ${messageOf(failure)}`);
    });
  }
}

function userOf(
  ctx: ContainerContext,
  request: CreateRequest,
  image: ResolvedImage,
  mounts: Parameters<typeof readFilesInRoot>[0],
) {
  const parent = namespaceRunDir(ctx.dirs, ctx.containerd.namespace);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const files = readFilesInRoot(mounts, ['/etc/passwd', '/etc/group'], { maxBytes: MAX_PASSWD_BYTES, parent });
  return resolveUser({
    user: request.user ?? image.config.user,
    groupAdd: request.groupAdd,
    passwd: files.get('/etc/passwd')?.toString('utf8'),
    group: files.get('/etc/group')?.toString('utf8'),
  });
}

interface SpecParts extends HostNeeds {
  readonly id: string;
  readonly request: CreateRequest;
  readonly placement: Placement;
  readonly image: ResolvedImage;
  readonly user: SpecOptions['user'];
  readonly volumes: readonly UsedVolume[];
  readonly path: string;
  readonly readOnlyBelow: boolean;
  readonly modes: NamespaceModes;
  readonly shm: SpecOptions['shm'];
}

function specOptionsOf(ctx: ContainerContext, parts: SpecParts): SpecOptions {
  const { id, request, placement, image, user, volumes, path, host, devices, apparmor, modes, shm } = parts;
  makeBindSources(request.binds);
  return {
    ...specOptionsFrom(request),
    ...specNetworkOf(ctx, { id, request, placement, modes }),
    binds: [
      ...request.binds,
      ...volumes.map((used) => bindOfVolume(used, (destination) => partPathOf(ctx, id, destination))),
    ],
    canReadOnlyBelow: parts.readOnlyBelow,
    id,
    namespace: ctx.containerd.namespace,
    image: imageDefaultsOf(image),
    user,
    host,
    devices,
    apparmor,
    deviceRules: request.deviceRules.map(parseDeviceRule),
    namespaces: modes,
    annotations: { ...request.annotations, ...nerdctlAnnotations(ctx.containerd.namespace) },
    ...(shm === undefined ? {} : { shm }),
    ...(request.init ? { init: findInit(path) } : {}),
  };
}

/** The parts of the request that the spec uses unchanged. */
function specOptionsFrom(
  request: CreateRequest,
): Omit<
  SpecOptions,
  'id' | 'namespace' | 'hostname' | 'network' | 'image' | 'user' | 'host' | 'devices' | 'deviceRules' | 'namespaces'
> {
  const {
    health: _health,
    shownHostConfig: _shownHostConfig,
    shownHealthcheck: _shownHealthcheck,
    restart: _restart,
    init: _init,
    user: _user,
    image: _image,
    hostname: _hostname,
    name: _name,
    labels: _labels,
    network: _network,
    networking: _networking,
    devices: _devices,
    deviceRules: _deviceRules,
    namespaces: _namespaces,
    security,
    tty,
    ...rest
  } = request;
  return {
    ...rest,
    terminal: tty,
    noNewPrivileges: security.noNewPrivileges,
    ...writableCgroupsOf(security),
    ...seccompOf(security),
  };
}

const writableCgroupsOf = ({ writableCgroups }: SecurityOptions): Pick<SpecOptions, 'writableCgroups'> =>
  writableCgroups === undefined ? {} : { writableCgroups };

function seccompOf({ seccomp, seccompProfile }: SecurityOptions): Pick<SpecOptions, 'seccomp'> {
  if (seccompProfile !== undefined) return { seccomp: { profile: seccompProfile } };
  return seccomp === 'unconfined' ? { seccomp } : {};
}

function imageDefaultsOf({ config }: ResolvedImage): ImageDefaults {
  return {
    ...(config.entrypoint ? { entrypoint: config.entrypoint } : {}),
    ...(config.cmd ? { cmd: config.cmd } : {}),
    env: config.env,
    workingDir: config.workingDir,
  };
}

function argsOf({ entrypoint, command }: CreateRequest, { config }: ResolvedImage): readonly string[] {
  return resolveArgs({ imageEntrypoint: config.entrypoint ?? [], imageCmd: config.cmd ?? [], entrypoint, command });
}

interface LabelParts {
  readonly id: string;
  readonly request: CreateRequest;
  readonly placement: Placement;
  readonly image: ResolvedImage;
  readonly modes: NamespaceModes;
  readonly hostname: string;
}

function labelsOf(
  ctx: ContainerContext,
  { id, request, placement, image, modes, hostname }: LabelParts,
): Readonly<Record<string, string>> {
  const { namespace } = ctx.containerd;
  const pidContainer = joinedContainer(modes.pid);
  const { architecture, os, stopSignal } = image.config;
  return {
    ...trustedImageLabels(image.config.labels),
    ...request.labels,
    [LABELS.owner]: version,
    [LABELS.namespace]: namespace,
    [LABELS.hostname]: hostname,
    [LABELS.stateDir]: runDirOf(ctx.dirs, { namespace, id }),
    [LABELS.platform]: `${os}/${architecture}`,
    [LABELS.networks]: JSON.stringify(networkNamesOf(placement)),
    ...(pidContainer === undefined ? {} : { [LABELS.pidContainer]: pidContainer }),
    ...(request.log.driver === 'none' ? {} : { [LABELS.logUri]: logUriOf(ctx, id) }),
    [LABELS.stopSignal]: request.stopSignal ?? stopSignal ?? 'SIGTERM',
    ...(request.pidfile === undefined ? {} : { [LABELS.pidfile]: request.pidfile }),
    ...(request.stopTimeoutS === undefined ? {} : { [LABELS.stopTimeout]: `${request.stopTimeoutS}` }),
    ...(request.restart.name === 'no' ? {} : { [LABELS.restart]: restartPolicyText(request.restart) }),
  };
}

/** For nerdctl's `start`: it sends both streams to one file. */
function logUriOf({ dirs, containerd }: ContainerContext, id: string): string {
  return pathToFileURL(liveFileOf(dataDirOf(dirs, { namespace: containerd.namespace, id }), 'stdout')).href;
}

function refuseReserved(key: string): void {
  if (isReservedLabel(key))
    throw new HealthctlError('INVALID', `the label ${key} is reserved`, {
      hint: 'labels under nerdctl/, healthctl/ and containerd.io/ control the tools: choose another key',
    });
}
