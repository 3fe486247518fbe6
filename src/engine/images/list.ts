import { parseEventTime, timeReference } from '../../events/time.ts';
import { type ImageRow, type ImageRowFilter, listImageRows } from '../../image/list-by-id.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { imageIdOf } from '../../record/details.ts';
import { EngineError, withStatuses } from '../errors.ts';
import { type Filters, parseFilters, refuseOtherKeys } from '../filters.ts';
import type { EngineDeps } from '../host.ts';
import { type Call, json, type Route } from '../route.ts';
import { isSince } from '../version.ts';

const FILTERS = ['dangling', 'label', 'before', 'since', 'reference', 'until'];

/** `/images/json`: all images, each with all its names. `all` changes nothing: there are no intermediate images. */
export function listRoutes({ ctx, clock }: Pick<EngineDeps, 'ctx' | 'clock'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/images/json',
      handle: async (call) => {
        const { query, version, signal } = call;
        const filter = rowFilterFrom(filtersOf(call), clock.now());
        // A pattern that is none.
        const rows = await withStatuses({ INVALID: 500 }, () =>
          listImageRows(ctx, {
            snapshotter: ctx.snapshotter,
            filter,
            imageIdOf,
            withSharedSize: isSince(version, 42) && query.flag('shared-size'),
            signal,
          }),
        );
        return json(rows.map((row) => rowDocument(row, call)));
      },
    },
  ];
}

/** Old clients give the name in a parameter of its own. */
function filtersOf({ query, version }: Call): Filters {
  const filters = parseFilters(query.text('filters'));
  const name = query.text('filter');
  if (name === '' || isSince(version, 41)) return filters;
  return new Map([...filters, ['reference', [...(filters.get('reference') ?? []), name]]]);
}

function rowFilterFrom(filters: Filters, nowMs: number): ImageRowFilter {
  refuseOtherKeys(filters, FILTERS);
  const values = (key: string) => filters.get(key) ?? [];
  const dangling = danglingFrom(filters);
  const untils = values('until').map((text) => untilFrom(text, nowMs));
  return {
    references: values('reference'),
    labels: values('label'),
    before: values('before'),
    since: values('since'),
    ...(dangling === undefined ? {} : { dangling }),
    ...(untils.length === 0 ? {} : { untilMs: Math.min(...untils) }),
  };
}

/** Throws EngineError with Docker's status. */
function untilFrom(text: string, nowMs: number): number {
  try {
    return parseEventTime(text, timeReference(nowMs));
  } catch (cause) {
    throw new EngineError(500, messageOf(cause), { cause });
  }
}

/** Throws INVALID with Docker's text for more or other values than one boolean. */
export function danglingFrom(filters: Filters): boolean | undefined {
  const values = filters.get('dangling');
  if (values === undefined) return undefined;
  const [value = ''] = values;
  const isTrue = value === '1' || value === 'true';
  if (values.length === 1 && (isTrue || value === '0' || value === 'false')) return isTrue;
  throw new HealthctlError('INVALID', `invalid filter 'dangling=[${values.join(' ')}]'`);
}

export function rowDocument(row: ImageRow, { version }: Pick<Call, 'version'>) {
  const isUnnamed = !isSince(version, 43) && row.repoTags.length === 0 && row.repoDigests.length === 0;
  const { size, sharedSize = -1, containers } = row;
  return {
    Containers: isSince(version, 51) ? containers : -1,
    Created: Math.floor(row.createdMs / 1000),
    Id: row.id,
    Labels: Object.keys(row.labels).length === 0 ? null : row.labels,
    ParentId: '',
    RepoDigests: isUnnamed ? ['<none>@<none>'] : row.repoDigests,
    RepoTags: isUnnamed ? ['<none>:<none>'] : row.repoTags,
    SharedSize: sharedSize,
    Size: size,
    ...(isSince(version, 44) ? {} : { VirtualSize: size }),
  };
}
