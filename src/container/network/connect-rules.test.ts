import { expect, test } from 'vitest';
import { refuseConnection } from './connect-rules.ts';

test.each([
  ['app', ['app'], 'back'],
  ['app', ['app'], 'app'],
  ['app', [], 'bridge'],
  ['none', [], 'app'],
  ['bridge', ['bridge'], 'app'],
])('a container of the network mode %s on %j can be connected to %s', (mode, names, network) => {
  expect(() => refuseConnection({ mode, names, network })).not.toThrow();
});

test.each([
  ['container:abc', ['container:abc'], 'app', /^container sharing network namespace/],
  ['host', ['host'], 'app', /^container sharing network namespace/],
  ['app', ['app'], 'host', /^cannot connect container to host network/],
  ['none', ['none'], 'app', /in private \(none\) mode$/],
  ['app', ['app'], 'none', /in private \(none\) mode$/],
])('one of the network mode %s on %j cannot be connected to %s', (mode, names, network, message) => {
  expect(() => refuseConnection({ mode, names, network })).toThrow(
    expect.objectContaining({ code: 'INVALID', message: expect.stringMatching(message) }),
  );
});
