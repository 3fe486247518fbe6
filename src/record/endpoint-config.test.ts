import { describe, expect, test } from 'vitest';
import { type EndpointConfig, endpointRecordOf, endpointsOf, plainEndpoint } from './endpoint-config.ts';
import type { StoredConfig } from './stored-config.ts';

const stored = (over: Partial<StoredConfig>): StoredConfig => ({
  Config: { Image: 'x', Tty: false, OpenStdin: false, Labels: {} },
  HostConfig: { NetworkMode: 'app', AutoRemove: false },
  ImageId: '',
  Args: [],
  ...over,
});

describe('the networks of a stored config', () => {
  test('are read as they were written', () => {
    const full: EndpointConfig = {
      ...{ network: 'back', aliases: ['a', 'b'], links: ['db:data'], ipv4Address: '10.1.0.3', ipv6Address: 'fd00::3' },
      ...{ mac: '02:00:00:00:00:01', gatewayPriority: -1, driverOpts: { x: 'y' } },
    };
    const endpoints = [full, plainEndpoint('app')];
    const text = JSON.stringify(endpoints.map(endpointRecordOf));
    expect(endpointsOf(stored({ Endpoints: JSON.parse(text) }))).toEqual(endpoints);
    expect(endpointRecordOf(plainEndpoint('app'))).toEqual({ Network: 'app' });
  });

  test('by an earlier version: the one of the mode, with the aliases', () => {
    expect(endpointsOf(stored({ Aliases: ['www'] }))).toEqual([{ ...plainEndpoint('app'), aliases: ['www'] }]);
    expect(endpointsOf(stored({ HostConfig: { NetworkMode: 'none', AutoRemove: false } }))).toEqual([]);
    expect(endpointsOf(stored({ HostConfig: { NetworkMode: 'container:abc', AutoRemove: false } }))).toEqual([]);
  });

  test('none are left after a disconnect; a damaged entry is skipped', () => {
    expect(endpointsOf(stored({ Endpoints: [] }))).toEqual([]);
    expect(endpointsOf(stored({ Endpoints: [{ Network: 1 }, 'x', { Network: 'app', Aliases: 3 }] }))).toEqual([
      plainEndpoint('app'),
    ]);
  });
});
