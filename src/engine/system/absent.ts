import { EngineError } from '../errors.ts';
import { json, type Route } from '../route.ts';

const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'HEAD'] as const;

const NO_SWARM =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** Docker answers these with 503 while its host is not in a swarm. */
const SWARM = ['swarm', 'nodes', 'services', 'tasks', 'secrets', 'configs'] as const;

/** Parts of Docker that are not here, and what to use instead. */
const MISSING: readonly (readonly [Route['method'], string, string])[] = [
  [
    'POST',
    '/build',
    'healthctl has no classic builder: use buildx, which runs BuildKit as a container, or a buildkitd',
  ],
  ['POST', '/build/cancel', 'healthctl has no classic builder: use buildx'],
  ['GET', '/containers/{id}/attach/ws', 'healthctl has no attach over WebSocket: use POST /containers/{id}/attach'],
  ['POST', '/containers/{id}/checkpoints', 'healthctl makes no checkpoints: use "ctr tasks checkpoint"'],
  ['GET', '/containers/{id}/checkpoints', 'healthctl makes no checkpoints: use "ctr tasks checkpoint"'],
  [
    'POST',
    '/plugins/pull',
    'healthctl runs no plugins of Docker: networks are CNI, snapshotters are those of containerd',
  ],
  [
    'POST',
    '/plugins/create',
    'healthctl runs no plugins of Docker: networks are CNI, snapshotters are those of containerd',
  ],
];

/**
 * Routes of Docker that healthctl does not have. BuildKit's own (`/grpc`, `/session`) are 404 on purpose: then buildx and
 * compose start a BuildKit of their own as a container.
 */
export const absentRoutes: readonly Route[] = [
  // The end of `docker system prune`: there is no build cache.
  { method: 'POST', path: '/build/prune', handle: () => json({ CachesDeleted: null, SpaceReclaimed: 0 }) },
  { method: 'GET', path: '/plugins', handle: () => json([]) },
  {
    method: 'GET',
    path: '/plugins/{name}/json',
    handle: ({ part }) => {
      throw new EngineError(404, `plugin "${part('name')}" not found`);
    },
  },
  ...SWARM.flatMap((word) =>
    METHODS.flatMap((method): Route[] =>
      [`/${word}`, `/${word}/{rest}`].map((path) => ({
        method,
        path,
        handle: () => {
          throw new EngineError(503, NO_SWARM);
        },
      })),
    ),
  ),
  ...MISSING.map(
    ([method, path, message]): Route => ({
      method,
      path,
      handle: () => {
        throw new EngineError(501, message);
      },
    }),
  ),
];
