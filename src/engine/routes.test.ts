import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { EngineDeps } from './host.ts';
import { engineRoutesOf } from './routes.ts';

// Compares the table of docs/engine-api.md with the routes. test/e2e/engine-*.test.ts test the answers.

const page = readFileSync(new URL('../../docs/engine-api.md', import.meta.url), 'utf8');
const SWARM = /^\/(swarm|nodes|services|tasks|secrets|configs)\b/;

test('the documentation has a line for every route, and no other', () => {
  const routes = engineRoutesOf({} as unknown as EngineDeps).filter(({ path }) => !SWARM.test(path));
  const described = [...page.matchAll(/`((?:GET|HEAD|POST|PUT|DELETE) \/[^`]*)`/g)].map(([, route]) => route);
  expect(described.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
});
