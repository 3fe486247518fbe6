import { nameImage } from '../../image/tag.ts';
import type { EngineDeps } from '../host.ts';
import { empty, type Route } from '../route.ts';
import { repoTagReference } from './reference.ts';

/** `/images/{name}/tag` */
export function tagRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/images/{name}/tag',
      handle: async ({ part, query, signal }) => {
        const reference = repoTagReference(query.text('repo'), query.text('tag'));
        await nameImage(ctx, { source: part('name'), reference, signal });
        return empty(201);
      },
    },
  ];
}
