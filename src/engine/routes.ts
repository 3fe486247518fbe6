import { archiveRoutes } from './containers/archive.ts';
import { attachRoutes } from './containers/attach.ts';
import { changesRoutes } from './containers/changes.ts';
import { commitRoutes } from './containers/commit.ts';
import { createRoutes } from './containers/create.ts';
import { inspectRoutes } from './containers/inspect.ts';
import { lifeRoutes } from './containers/life.ts';
import { listRoutes } from './containers/list.ts';
import { logRoutes } from './containers/logs.ts';
import { pruneRoutes } from './containers/prune.ts';
import { resizeRoutes } from './containers/resize.ts';
import { statsRoutes } from './containers/stats.ts';
import { topRoutes } from './containers/top.ts';
import { updateRoutes } from './containers/update.ts';
import { waitRoutes } from './containers/wait.ts';
import { execRoutes } from './exec/routes.ts';
import type { EngineDeps } from './host.ts';
import { imageRoutes } from './images/routes.ts';
import { networkConnectRoutes } from './networks/connect.ts';
import { networkCreateRoutes } from './networks/create.ts';
import { networkListRoutes } from './networks/list.ts';
import { networkRemoveRoutes } from './networks/remove.ts';
import type { Route } from './route.ts';
import { absentRoutes } from './system/absent.ts';
import { dfRoutes } from './system/df.ts';
import { eventRoutes } from './system/events.ts';
import { infoRoutes } from './system/info.ts';
import { pingRoutes } from './system/ping.ts';
import { versionRoutes } from './system/version.ts';
import { volumeRoutes } from './volumes/volumes.ts';

/** All routes, each resource's in a file by itself; docs/engine-api.md describes them, and a test compares the two. */
export function engineRoutesOf(deps: EngineDeps): readonly Route[] {
  return [
    ...pingRoutes,
    ...versionRoutes(deps),
    ...infoRoutes(deps),
    ...eventRoutes(deps),
    ...dfRoutes(deps),
    ...archiveRoutes(deps),
    ...changesRoutes(deps),
    ...commitRoutes(deps),
    ...imageRoutes(deps),
    ...listRoutes(deps),
    ...createRoutes(deps),
    ...pruneRoutes(deps),
    ...inspectRoutes(deps),
    ...lifeRoutes(deps),
    ...waitRoutes(deps),
    ...topRoutes(deps),
    ...statsRoutes(deps),
    ...updateRoutes(deps),
    ...volumeRoutes(deps),
    ...networkListRoutes(deps),
    ...networkCreateRoutes(deps),
    ...networkRemoveRoutes(deps),
    ...networkConnectRoutes(deps),
    ...logRoutes(deps),
    ...attachRoutes(deps),
    ...resizeRoutes(deps),
    ...execRoutes(deps),
    // Last: they take what no other has.
    ...absentRoutes,
  ];
}
