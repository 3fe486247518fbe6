import { imageHistory } from '../../image/history.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { platformOf } from './platform.ts';

/** `/images/{name}/history` */
export function historyRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/images/{name}/history',
      handle: async (call) => {
        const platform = platformOf(call, { since: 48 });
        const rows = await imageHistory(ctx, {
          nameOrId: call.part('name'),
          snapshotter: ctx.snapshotter,
          signal: call.signal,
          ...(platform ? { platform } : {}),
        });
        return json(
          rows.map(({ id, createdMs, createdBy, tags, size, comment }) => ({
            Id: id,
            Created: Math.floor(createdMs / 1000),
            CreatedBy: createdBy,
            Tags: tags.length === 0 ? null : tags,
            Size: size,
            Comment: comment,
          })),
        );
      },
    },
  ];
}
