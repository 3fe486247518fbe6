import type { ContainerContext } from '../../../container/context.ts';
import { volumeContextOf } from '../../../container/volumes/request.ts';
import { type GoValue, nilMap, stringMap, struct } from '../../../go/template/template.ts';
import { hasCode } from '../../../lib/errors.ts';
import { measureTree } from '../../../volume/tree-size.ts';
import { noSuchVolume, type Volume } from '../../../volume/volume.ts';
import { readVolume } from '../../../volume/volume-store.ts';
import type { Command, CommandInput, CommandResult } from '../../command.ts';
import { type ContainerWorld, openContainers } from '../../context.ts';
import { formatOption } from '../../flags/format.ts';
import { VOLUME } from '../../flags/values.ts';
import { renderInspect } from '../../format/inspect.ts';

/** `healthctl volume inspect`: Docker's, with nerdctl's sizes. */
export const inspect: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  options: [formatOption, { name: 'size', short: 's', type: 'bool', help: 'Display the size of the volume, in bytes' }],
  args: { min: 1 },
  complete: [VOLUME],
  run: (world, input) => runInspect(world, input),
};

async function runInspect(world: ContainerWorld, { options, args }: CommandInput): Promise<CommandResult> {
  const { root } = volumeContextOf(await openContainers(world));
  const documents: GoValue[] = [];
  const errors: Error[] = [];
  for (const name of args) {
    try {
      const volume = readVolume(root, name);
      if (!volume) throw noSuchVolume(name);
      const size = options.bool('size') ? await measureTree(volume.mountpoint, world.signal) : undefined;
      documents.push(volumeDocument(volume, size));
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND', 'CORRUPT')) throw error;
      errors.push(error);
    }
  }
  const rendered = renderInspect(documents, options.string('format'));
  return { stdout: rendered.stdout, errors: [...rendered.errors, ...errors] };
}

/** Docker's document of a volume; undefined if there is none. Throws CORRUPT if something else has its path. */
export function findVolumeDocument(ctx: ContainerContext, name: string): GoValue | undefined {
  const volume = readVolume(volumeContextOf(ctx).root, name);
  return volume && volumeDocument(volume);
}

/** moby: api/types/volume.Volume. @param size in bytes: nerdctl's key, only on request */
function volumeDocument({ name, createdAt, labels, options, mountpoint }: Volume, size?: number): GoValue {
  return struct(
    {
      CreatedAt: createdAt,
      Driver: 'local',
      Labels: mapOrNil(labels),
      Mountpoint: mountpoint,
      Name: name,
      Options: mapOrNil(options),
      Scope: 'local',
      ...(size === undefined ? {} : { Size: size }),
    },
    { type: 'volume.Volume' },
  );
}

const mapOrNil = (map: Readonly<Record<string, string>>): GoValue =>
  Object.keys(map).length === 0 ? nilMap() : stringMap(map);
