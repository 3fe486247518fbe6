import type { Answer, Route } from '../route.ts';

/** A third of all requests: it touches nothing. */
const ANSWER: Answer = {
  status: 200,
  headers: {
    'Builder-Version': '2',
    Swarm: 'inactive',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    'Content-Type': 'text/plain; charset=utf-8',
  },
  body: 'OK',
};

export const pingRoutes: readonly Route[] = [
  { method: 'HEAD', path: '/_ping', handle: () => ANSWER },
  { method: 'GET', path: '/_ping', handle: () => ANSWER },
];
