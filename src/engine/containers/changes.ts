import { containerChanges, exportContainer } from '../../container/copy/changes.ts';
import type { TreeChange } from '../../system/tree-changes.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { foundView } from './found.ts';

const KINDS: Readonly<Record<TreeChange['kind'], number>> = { modified: 0, added: 1, deleted: 2 };

/** What a container has written, as a list and with all that was there before as an archive. */
export function changesRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/containers/{id}/changes',
      handle: async (call) => {
        const changes = await containerChanges(ctx, await foundView({ ctx }, call), call.signal);
        const listed = changes.map(({ path, kind }) => ({ Path: path, Kind: KINDS[kind] }));
        return json(listed.length === 0 ? null : listed);
      },
    },
    {
      method: 'GET',
      path: '/containers/{id}/export',
      handle: async (call) => {
        const content = await exportContainer(ctx, await foundView({ ctx }, call), call.signal);
        const answer = call.stream({ contentType: 'application/octet-stream' });
        for await (const chunk of content) await answer.write(chunk);
        return undefined;
      },
    },
  ];
}
