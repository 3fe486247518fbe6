import { dockerJsonFromHealthConfig, parseHealthConfig } from '../../health/config-json.ts';
import type { ImageConfig } from '../../image/config.ts';
import { type ImageDetails, inspectImage } from '../../image/inspect.ts';
import { imagePlatform, refuseOtherPlatform } from '../../image/platform.ts';
import { HealthctlError } from '../../lib/errors.ts';
import type { EngineDeps } from '../host.ts';
import { type Call, json, type Route } from '../route.ts';
import { isSince } from '../version.ts';
import { platformOf } from './platform.ts';

/** `/images/{name}/json`: by a name or an id. Clients take 404 as the reason to pull. */
export function inspectRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/images/{name}/json',
      handle: async (call) => {
        const { part, query, signal } = call;
        const platform = platformOf(call, { since: 49 });
        if (platform && query.flag('manifests')) {
          const why = 'conflicting options: manifests and platform options cannot both be set';
          throw new HealthctlError('INVALID', why);
        }
        const { snapshotter } = ctx;
        const details = await inspectImage(ctx, { nameOrId: part('name'), snapshotter, signal });
        if (platform) refuseOtherPlatform(part('name'), imagePlatform(details.config), platform);
        return json(imageDocument(details, { snapshotter, call }));
      },
    },
  ];
}

/**
 * Docker's document (moby, api/types/image/image_inspect.go). The id is the digest of the config, as in Docker without
 * containerd's image store, so there is no Descriptor.
 */
function imageDocument(
  { id, repoTags, repoDigests, config, size, taggedAtMs, chainId }: ImageDetails,
  { snapshotter, call: { version } }: { readonly snapshotter: string; readonly call: Call },
) {
  const noTime = isSince(version, 44) ? {} : { Created: '0001-01-01T00:00:00Z' };
  return {
    Id: id,
    RepoTags: repoTags,
    RepoDigests: repoDigests,
    Parent: '',
    Comment: config.comment,
    ...(config.created === undefined ? noTime : { Created: config.created }),
    DockerVersion: config.dockerVersion,
    Author: config.author,
    Config: configDocument(config, isSince(version, 50) ? FIELDS : OLD_FIELDS),
    ...(isSince(version, 45) ? {} : { ContainerConfig: { ...OLD_FIELDS, Image: '' } }),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: size,
    ...(isSince(version, 44) ? {} : { VirtualSize: size }),
    GraphDriver: { Data: chainId === '' ? null : { Snapshot: chainId }, Name: snapshotter },
    RootFS: { Type: 'layers', ...(config.diffIds.length === 0 ? {} : { Layers: config.diffIds }) },
    Metadata: { LastTagTime: new Date(taggedAtMs).toISOString() },
  };
}

/** Always there, even if not set. */
const FIELDS: Readonly<Record<string, unknown>> = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
};

/** Below API 1.50 those of containers too. */
const OLD_FIELDS: Readonly<Record<string, unknown>> = {
  ...FIELDS,
  AttachStderr: false,
  AttachStdin: false,
  AttachStdout: false,
  Domainname: '',
  Hostname: '',
  Image: '',
  OpenStdin: false,
  StdinOnce: false,
  Tty: false,
};

function configDocument(config: ImageConfig, fields: Readonly<Record<string, unknown>>) {
  const keys = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));
  const health = parseHealthConfig(config.healthcheck);
  return {
    ...fields,
    ...(config.cmd ? { Cmd: config.cmd } : {}),
    ...(config.entrypoint ? { Entrypoint: config.entrypoint } : {}),
    ...(config.env.length > 0 ? { Env: config.env } : {}),
    ...(config.exposedPorts.length > 0 ? { ExposedPorts: keys(config.exposedPorts) } : {}),
    ...(health.kind === 'config' ? { Healthcheck: dockerJsonFromHealthConfig(health.config) } : {}),
    ...(Object.keys(config.labels).length > 0 ? { Labels: config.labels } : {}),
    ...(config.onBuild ? { OnBuild: config.onBuild } : {}),
    ...(config.shell ? { Shell: config.shell } : {}),
    ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
    User: config.user,
    ...(config.volumes.length > 0 ? { Volumes: keys(config.volumes) } : {}),
    WorkingDir: config.workingDir,
  };
}
