import { createVolume } from '../../container/volumes/create.ts';
import { asksForUsers, parseVolumeFilters, wantsAll } from '../../container/volumes/filter.ts';
import { volumeContextOf } from '../../container/volumes/request.ts';
import { listVolumesWith, pruneVolumes, removeVolume } from '../../container/volumes/use.ts';
import { hasCode } from '../../lib/errors.ts';
import { isText, textMapIn } from '../../lib/shape.ts';
import { noSuchVolume, type Volume } from '../../volume/volume.ts';
import { readVolume } from '../../volume/volume-store.ts';
import { filterTextsOf, parseFilters, refuseOtherKeys } from '../filters.ts';
import type { EngineDeps } from '../host.ts';
import { type Answer, type Call, empty, json, type Route } from '../route.ts';
import { isSince } from '../version.ts';

/** Volumes: Docker's local ones. */
export function volumeRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    { method: 'GET', path: '/volumes', handle: (call) => list(ctx, call) },
    { method: 'POST', path: '/volumes/create', handle: (call) => create(ctx, call) },
    { method: 'POST', path: '/volumes/prune', handle: (call) => prune(ctx, call) },
    { method: 'GET', path: '/volumes/{name}', handle: ({ part }) => inspect(ctx, part('name')) },
    { method: 'DELETE', path: '/volumes/{name}', handle: (call) => remove(ctx, call) },
  ];
}

type Context = EngineDeps['ctx'];

/** moby: api/types/volume.Volume. */
export function volumeDocument({ name, createdAt, labels, options, mountpoint }: Volume) {
  return {
    CreatedAt: createdAt,
    Driver: 'local',
    Labels: Object.keys(labels).length === 0 ? null : labels,
    Mountpoint: mountpoint,
    Name: name,
    Options: Object.keys(options).length === 0 ? null : options,
    Scope: 'local',
  };
}

/** Only what has the form of a label filter stands without a value. */
const LIST_KEYS = ['dangling', 'driver', 'label', 'name'] as const;
const PRUNE_KEYS = ['all', 'label', 'label!'] as const;

async function list(ctx: Context, { query, signal }: Call): Promise<Answer> {
  const filters = parseFilters(query.text('filters'));
  refuseOtherKeys(filters, LIST_KEYS);
  const texts = filterTextsOf(filters);
  const isWanted = parseVolumeFilters(texts, 'list');
  const listed = await listVolumesWith(ctx, { users: asksForUsers(texts), size: false, signal });
  const wanted = listed.filter(isWanted);
  return json({ Volumes: wanted.map(({ volume }) => volumeDocument(volume)), Warnings: null });
}

function inspect(ctx: Context, name: string): Answer {
  const volume = readVolume(volumeContextOf(ctx).root, name);
  if (!volume) throw noSuchVolume(name);
  return json(volumeDocument(volume));
}

async function create(ctx: Context, call: Call): Promise<Answer> {
  const { Name, Driver, DriverOpts, Labels } = await call.json({ isRequired: true, type: 'volume.CreateOptions' });
  const name = isText(Name) && Name !== '' ? Name : undefined;
  const volume = await createVolume(ctx, {
    name,
    driver: isText(Driver) ? Driver : '',
    labels: textMapIn(Labels),
    options: textMapIn(DriverOpts),
    signal: call.signal,
  });
  return json(volumeDocument(volume), 201);
}

async function remove(ctx: Context, { part, query, signal }: Call): Promise<Answer> {
  try {
    await removeVolume(ctx, part('name'), { signal });
  } catch (error) {
    if (!query.flag('force') || !hasCode(error, 'NOT_FOUND')) throw error;
  }
  return empty();
}

/** Clients older than 1.42 mean all volumes, not only anonymous ones. */
async function prune(ctx: Context, { query, version, signal }: Call): Promise<Answer> {
  const filters = parseFilters(query.text('filters'));
  refuseOtherKeys(filters, PRUNE_KEYS);
  const texts = filterTextsOf(filters);
  const matches = parseVolumeFilters(texts, 'prune');
  const { deleted, reclaimed } = await pruneVolumes(ctx, {
    isAll: wantsAll(texts) || !isSince(version, 42),
    isWanted: (volume) => matches({ volume, users: [] }),
    signal,
  });
  return json({ VolumesDeleted: deleted, SpaceReclaimed: reclaimed });
}
