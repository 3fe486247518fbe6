import {
  duration,
  type GoValue,
  nilMap,
  nilPointer,
  nilSlice,
  stringMap,
  struct,
  time,
} from '../../../go/template/template.ts';
import { parseHealthConfig } from '../../../health/config-json.ts';
import type { ImageConfig } from '../../../image/config.ts';
import { type ImageDetails, inspectImage } from '../../../image/inspect.ts';
import { hasCode } from '../../../lib/errors.ts';
import type { World } from '../../../world.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { formatOption } from '../../flags/format.ts';
import { IMAGE } from '../../flags/values.ts';
import { renderInspect } from '../../format/inspect.ts';

/** `healthctl image inspect`, with Docker's document. */
export const inspect: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  options: [formatOption],
  args: { min: 1 },
  complete: [IMAGE],
  run: (world, input) => runInspect(world, input),
};

type InspectWorld = Pick<World, 'containerd' | 'settings' | 'signal'>;

async function runInspect(world: InspectWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const containerd = await world.containerd();
  const { signal, settings } = world;
  const documents: GoValue[] = [];
  const errors: Error[] = [];
  for (const nameOrId of args) {
    try {
      const details = await inspectImage({ containerd }, { nameOrId, snapshotter: settings.snapshotter, signal });
      documents.push(imageDocument(details));
    } catch (error) {
      if (!(error instanceof Error) || hasCode(error, 'ABORTED', 'UNAVAILABLE', 'DENIED')) throw error;
      errors.push(error);
    }
  }
  const rendered = renderInspect(documents, options.string('format'));
  return { stdout: rendered.stdout, errors: [...rendered.errors, ...errors] };
}

/** The document of `docker image inspect` (moby, api/types/image InspectResponse), as far as containerd knows it. */
export function imageDocument(image: ImageDetails): GoValue {
  const { config } = image;
  return struct(
    {
      ID: image.id,
      RepoTags: image.repoTags,
      RepoDigests: image.repoDigests,
      Parent: '',
      Comment: config.comment,
      Created: config.created ?? '',
      DockerVersion: config.dockerVersion,
      Author: config.author,
      Config: configDocument(config),
      Architecture: config.architecture,
      Variant: config.variant ?? '',
      Os: config.os,
      Size: image.size,
      RootFS: struct({ Type: 'layers', Layers: config.diffIds }, { type: 'image.RootFS', omitEmpty: ['Layers'] }),
      Metadata: struct({ LastTagTime: time(new Date(image.taggedAtMs).toISOString()) }, { type: 'image.Metadata' }),
      Descriptor: descriptorDocument(image.descriptor),
    },
    { type: 'image.InspectResponse', omitEmpty: ['Created', 'Variant'], jsonNames: { ID: 'Id' } },
  );
}

function descriptorDocument({ mediaType, digest, size }: ImageDetails['descriptor']): GoValue {
  return struct(
    { MediaType: mediaType, Digest: digest, Size: size },
    { type: '*v1.Descriptor', jsonNames: { MediaType: 'mediaType', Digest: 'digest', Size: 'size' } },
  );
}

function configDocument(config: ImageConfig): GoValue {
  const set = (keys: readonly string[]) =>
    keys.length === 0 ? nilMap('map[string]struct {}') : Object.fromEntries(keys.map((key) => [key, {}]));
  const list = (items: readonly string[] | undefined) => (items === undefined ? nilSlice() : items);
  const fields = {
    User: config.user,
    ExposedPorts: set(config.exposedPorts),
    Env: config.env,
    Entrypoint: list(config.entrypoint),
    Cmd: list(config.cmd),
    Volumes: set(config.volumes),
    WorkingDir: config.workingDir,
    Labels: Object.keys(config.labels).length === 0 ? nilMap() : stringMap(config.labels),
    StopSignal: config.stopSignal ?? '',
    Healthcheck: healthcheckDocument(config.healthcheck),
    OnBuild: list(config.onBuild),
    Shell: list(config.shell),
  };
  return struct(fields, { type: '*v1.DockerOCIImageConfig', omitEmpty: Object.keys(fields) });
}

/** An invalid health check is not shown: it counts as none. */
function healthcheckDocument(value: unknown): GoValue {
  const type = '*v1.HealthcheckConfig';
  const parsed = parseHealthConfig(value);
  if (parsed.kind !== 'config') return nilPointer(type);
  const { test, intervalNs = 0, timeoutNs = 0, startPeriodNs = 0, startIntervalNs = 0, retries = 0 } = parsed.config;
  const fields = {
    Test: test ?? nilSlice(),
    Interval: duration(BigInt(intervalNs)),
    Timeout: duration(BigInt(timeoutNs)),
    StartPeriod: duration(BigInt(startPeriodNs)),
    StartInterval: duration(BigInt(startIntervalNs)),
    Retries: retries,
  };
  return struct(fields, { type, omitEmpty: Object.keys(fields) });
}
