import { inspectDistribution } from '../../image/distribution.ts';
import { parseReference, withDefaultTag } from '../../image/reference.ts';
import type { EngineDeps } from '../host.ts';
import { json, type Route } from '../route.ts';
import { loginOf } from './registry-auth.ts';

/** `/distribution/{name}/json`: digest and platforms of an image in its registry. */
export function distributionRoutes({ clock }: Pick<EngineDeps, 'clock'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/distribution/{name}/json',
      handle: async ({ part, headers, signal }) => {
        const reference = withDefaultTag(parseReference(part('name')));
        const login = loginOf(headers);
        const info = await inspectDistribution({ clock, env: process.env }, { reference, login, signal });
        return json({ Descriptor: info.descriptor, Platforms: info.platforms });
      },
    },
  ];
}
