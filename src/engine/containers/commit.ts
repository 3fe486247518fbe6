import { commitContainer } from '../../container/commit.ts';
import { resolveView } from '../../container/resolve.ts';
import { EngineError } from '../errors.ts';
import type { EngineDeps } from '../host.ts';
import { repoTagReference } from '../images/reference.ts';
import { json, type Route } from '../route.ts';

/** `/commit`: an image of a container. The body's fields replace those of the container's config. */
export function commitRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/commit',
      handle: async (call) => {
        const { query, signal } = call;
        const repo = query.text('repo');
        const reference = repo === '' ? undefined : repoTagReference(repo, query.text('tag'));
        const config = await call.json();
        const name = query.text('container');
        if (name === '') throw new EngineError(400, 'invalid name or ID supplied: ""');
        const view = await resolveView(ctx, name, { signal });
        const id = await commitContainer(ctx, view, {
          reference,
          author: query.text('author'),
          comment: query.text('comment'),
          changes: query.all('changes'),
          config,
          pause: !query.has('pause') || query.flag('pause'),
          signal,
        });
        return json({ Id: id }, 201);
      },
    },
  ];
}
