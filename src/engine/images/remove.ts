import { publishImageEvent } from '../../events/image-events.ts';
import { parseEventTime, timeReference } from '../../events/time.ts';
import { pruneImages } from '../../image/prune.ts';
import { type Removed, removedImages, removeImage } from '../../image/remove.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { parsePruneFilter } from '../../lib/prune-filter.ts';
import { imageIdOf } from '../../record/details.ts';
import { type Filters, filterTextsOf, parseFilters } from '../filters.ts';
import type { EngineDeps } from '../host.ts';
import { type Call, json, type Route } from '../route.ts';
import { danglingFrom } from './list.ts';

type Deps = Pick<EngineDeps, 'ctx' | 'clock'>;

/** `DELETE /images/{name}`, and `/images/prune`. */
export function removeRoutes(deps: Deps): readonly Route[] {
  return [
    { method: 'POST', path: '/images/prune', handle: (call) => prune(deps, call) },
    { method: 'DELETE', path: '/images/{name}', handle: (call) => remove(deps, call) },
  ];
}

async function remove({ ctx }: Deps, { part, query, signal }: Call) {
  const nameOrId = part('name');
  if (nameOrId.trim() === '') throw new HealthctlError('INVALID', 'image name cannot be blank');
  const force = query.flag('force');
  const removed = await removeImage(ctx, { nameOrId, force, snapshotter: ctx.snapshotter, imageIdOf, signal });
  await publishDeleted(ctx, removed);
  return json(documentsOf(removed));
}

async function prune({ ctx, clock }: Deps, { query, signal }: Call) {
  const filters = parseFilters(query.text('filters'));
  const dangling = danglingFrom(filters) ?? true;
  const others: Filters = new Map([...filters].filter(([key]) => key !== 'dangling'));
  const filter = parsePruneFilter(filterTextsOf(others), (text) => parseEventTime(text, timeReference(clock.now())));
  const { snapshotter } = ctx;
  const { removed, reclaimed } = await pruneImages(ctx, { all: !dangling, filter, snapshotter, imageIdOf, signal });
  await publishDeleted(ctx, removed);
  return json({ ImagesDeleted: removed.length === 0 ? null : documentsOf(removed), SpaceReclaimed: reclaimed });
}

const documentsOf = (removed: readonly Removed[]) =>
  removed.map((what) => ('untagged' in what ? { Untagged: what.untagged } : { Deleted: what.deleted }));

async function publishDeleted(ctx: EngineDeps['ctx'], removed: readonly Removed[]): Promise<void> {
  const publisher = { events: ctx.containerd.events, log: ctx.log };
  for (const id of removedImages(removed)) await publishImageEvent(publisher, 'delete', { id });
}
