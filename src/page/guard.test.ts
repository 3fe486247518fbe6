import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { refusalOfData, refusalOfSource } from './guard.ts';

const ask = (headers: Readonly<Record<string, string>>, hosts: readonly string[] = [], method = 'GET') =>
  refusalOfSource({ method, headers }, { hosts })?.status;

test.each(['localhost', 'localhost:8080', 'LOCALHOST', '127.0.0.1:9181', '[::1]:9181', '192.168.1.2:80'])(
  'answers for the host %s, which no other site can have',
  (host) => {
    expect(ask({ host })).toBeUndefined();
  },
);

test.each([
  'rebound.example',
  'rebound.example:9181',
  'localhost.rebound.example',
  '127.0.0.1.rebound.example',
  '',
  '[::1',
])('refuses the host %j', (host) => {
  expect(ask({ host })).toBe(421);
});

test('refuses a request without a host', () => {
  expect(ask({})).toBe(421);
});

test('answers for a configured host, on any port unless one is configured', () => {
  expect(ask({ host: 'health.example:8443' }, ['health.example'])).toBeUndefined();
  expect(ask({ host: 'health.example:8443' }, ['health.example:8443'])).toBeUndefined();
  expect(ask({ host: 'health.example:1' }, ['health.example:8443'])).toBe(421);
});

test.each([
  ['http://localhost:9181', undefined],
  ['http://localhost:3000', 403],
  ['https://rebound.example', 403],
  ['null', 403],
  ['http://localhost:9181.rebound.example', 403],
])('from the origin %s: %s', (origin, status) => {
  expect(ask({ host: 'localhost:9181', origin })).toBe(status);
});

test('behind a proxy with another name, the origin must be a configured host', () => {
  expect(ask({ host: 'localhost', origin: 'https://health.example' }, ['health.example'])).toBeUndefined();
});

test('refuses methods that could change something', () => {
  expect(['POST', 'PUT', 'DELETE', 'OPTIONS'].map((method) => ask({ host: 'localhost' }, [], method))).toEqual([
    405, 405, 405, 405,
  ]);
});

test('sends data only to the page itself', () => {
  const from = (site: string) => refusalOfData({ headers: { 'sec-fetch-site': site } }, { token: undefined })?.status;
  expect(['same-origin', 'none', 'same-site', 'cross-site'].map(from)).toEqual([undefined, undefined, 403, 403]);
});

test('sends data only with the token', () => {
  const token = createHash('sha256').update('secret').digest();
  const refusalFor = (authorization?: string) =>
    refusalOfData({ headers: authorization === undefined ? {} : { authorization } }, { token })?.message;
  expect(refusalFor()).toBe('a bearer token is needed');
  expect(refusalFor('Bearer wrong')).toBe('this is not the token');
  expect(refusalFor('Basic secret')).toBe('this is not the token');
  expect(refusalFor('Bearer secret')).toBeUndefined();
});
