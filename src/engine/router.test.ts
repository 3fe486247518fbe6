import { expect, test } from 'vitest';
import { EngineError } from './errors.ts';
import { empty, type Route } from './route.ts';
import { createRouter } from './router.ts';

const route = (method: Route['method'], path: string): Route => ({ method, path, handle: () => empty() });
const router = createRouter([
  route('GET', '/containers/json'),
  route('GET', '/containers/{id}/json'),
  route('GET', '/images/{name}/json'),
  route('POST', '/networks/{id}/connect'),
]);
const found = (method: string, target: string) => {
  const { route, version, part } = router.match(method, target);
  return [route.path, `${version.major}.${version.minor}`, part('id') || part('name')];
};
const refusal = (method: string, target: string): EngineError => {
  try {
    router.match(method, target);
  } catch (error) {
    if (error instanceof EngineError) return error;
  }
  throw new Error('it was not refused');
};

test('the first route that fits is taken, with and without a version', () => {
  expect(found('GET', '/containers/json?all=1')).toEqual(['/containers/json', '1.51', '']);
  expect(found('GET', '/v1.24/containers/web/json')).toEqual(['/containers/{id}/json', '1.24', 'web']);
});

test('the name of an image may have slashes, escaped or not', () => {
  expect(found('GET', '/images/docker.io/library/web:1/json')[2]).toBe('docker.io/library/web:1');
  expect(found('GET', '/images/docker.io%2Flibrary%2Fweb/json')[2]).toBe('docker.io/library/web');
  expect(found('GET', '/images/100%/json')[2]).toBe('100%');
});

test.each([
  ['GET', '/nosuch'],
  ['GET', '/'],
  ['GET', '/networks/n/connect'],
  ['POST', '/containers/json'],
  ['GET', '/images//json'],
])('%s %s is not found', (method, target) => {
  expect(refusal(method, target)).toMatchObject({ status: 404, message: 'page not found' });
});

test.each([
  ['1.23', true],
  ['1', true],
  ['0.99', true],
  ['1.52', false],
  ['2.0', false],
])('version %s is refused, in plain text: %s', (version, isPlain) => {
  const refused = refusal('GET', `/v${version}/containers/json`);
  expect(refused).toMatchObject({ status: 400, isPlain });
  expect(refused.message).toContain(`client version ${version} is too ${isPlain ? 'old' : 'new'}. `);
});
