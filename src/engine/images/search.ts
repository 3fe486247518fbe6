import { EngineError } from '../errors.ts';
import type { Route } from '../route.ts';

/** Docker's search is an API of Docker Hub alone. */
export const searchRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/images/search',
    handle: () => {
      throw new EngineError(501, "healthctl does not search registries: search on the registry's web page");
    },
  },
];
