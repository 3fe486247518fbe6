import type { EngineDeps } from '../host.ts';
import type { Route } from '../route.ts';
import { authRoutes } from './auth.ts';
import { createRoutes } from './create.ts';
import { distributionRoutes } from './distribution.ts';
import { historyRoutes } from './history.ts';
import { inspectRoutes } from './inspect.ts';
import { listRoutes } from './list.ts';
import { loadRoutes } from './load.ts';
import { pushRoutes } from './push.ts';
import { removeRoutes } from './remove.ts';
import { saveRoutes } from './save.ts';
import { searchRoutes } from './search.ts';
import { tagRoutes } from './tag.ts';

/** All routes about images and registries. */
export function imageRoutes(deps: EngineDeps): readonly Route[] {
  return [
    ...listRoutes(deps),
    ...searchRoutes,
    ...createRoutes(deps),
    ...loadRoutes(deps),
    ...saveRoutes(deps),
    ...inspectRoutes(deps),
    ...historyRoutes(deps),
    ...tagRoutes(deps),
    ...pushRoutes(deps),
    ...removeRoutes(deps),
    ...authRoutes(deps),
    ...distributionRoutes(deps),
  ];
}
