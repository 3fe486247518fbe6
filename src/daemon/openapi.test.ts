import { expect, test } from 'vitest';
import { mismatches, type Operation, openApi, openApiText, resolveRef } from '../../testbed/openapi.ts';
import type { Service } from './api/service.ts';
import { API_HEADER, API_VERSION } from './api/version.ts';
import type { MetricsAnswerer } from './metrics/answer.ts';
import { type EventStreams, routesOf } from './routes.ts';

// Compares docs/openapi.json with the routes. test/integration/api-server.test.ts tests the answers.

const METHODS = ['get', 'post', 'delete', 'put', 'patch', 'head', 'options'];
const operations = Object.entries(openApi.paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => {
    const operation = item[method];
    return operation ? [{ path, method, operation, shared: item.parameters ?? [] }] : [];
  }),
);
const routes = routesOf({
  service: {} as unknown as Service,
  streams: {} as unknown as EventStreams,
  metrics: {} as unknown as MetricsAnswerer,
  flushHistory: async () => {},
  onStop: () => {},
});

test('describes every route and no other', () => {
  const described = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`);
  expect(described.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
});

test('a route without the version has a server of its own', () => {
  for (const { path, isUnversioned } of routes)
    expect(openApi.paths[path]?.servers?.[0]?.url).toBe(isUnversioned ? 'http://localhost' : undefined);
});

test('has the version of the API', () => {
  expect([openApi.info.version, openApi.servers[0]?.url]).toEqual([
    `${API_VERSION}`,
    `http://localhost/v${API_VERSION}`,
  ]);
});

test('every reference is valid', () => {
  for (const [, ref = ''] of openApiText.matchAll(/"\$ref": "([^"]+)"/g))
    expect(resolveRef({ $ref: ref })).toBeDefined();
});

test.each(operations.map((one) => [one.operation.operationId, one] as const))(
  '%s describes its path parameters, the version and its errors',
  (_, { path, operation, shared }) => {
    const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = [...shared, ...(operation.parameters ?? [])].map(resolveRef);
    expect(described.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(parts);
    expect(statusesOf(operation)).toContain('default');
    for (const answer of Object.values(operation.responses).map(resolveRef))
      expect(Object.keys(answer.headers ?? {})).toEqual([API_HEADER]);
  },
);

const statusesOf = ({ responses }: Operation): readonly string[] => Object.keys(responses);

test('no two operations have the same name', () => {
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
});

test('the checker finds missing, extra and wrong fields', () => {
  const { Lag: lag = {}, HealthResult: result = {}, ContainerSummary: summary = {} } = openApi.components.schemas;
  expect(mismatches(lag, { count: 1, p50Ms: 0.5, p99Ms: 1, maxMs: 2 })).toEqual([]);
  expect(mismatches(lag, { count: 1.5, p50Ms: '1', maxMs: 2, x: 1 })).toEqual([
    '$.p99Ms is missing',
    '$.count is no integer',
    '$.p50Ms is no number',
    '$.x is not described',
  ]);
  expect(mismatches(result, null)).toEqual(['$ is no object']);
  expect(mismatches(summary, { record: {}, task: null, run: {}, health: null }).length).toBeGreaterThan(1);
});
