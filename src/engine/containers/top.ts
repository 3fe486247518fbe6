import { topContainer } from '../../container/top.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { foundView } from './found.ts';

/** The processes of a container, in the words of the host's ps. */
export function topRoutes({ ctx }: Pick<EngineDeps, 'ctx'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/containers/{id}/top',
      handle: async (call) => {
        const { query, signal } = call;
        const view = await foundView({ ctx }, call);
        const psOptions = query.text('ps_args').split(/\s+/).filter(Boolean);
        const { titles, rows } = await topContainer(ctx, view, { psOptions, signal });
        return json({ Titles: titles, Processes: rows });
      },
    },
  ];
}
