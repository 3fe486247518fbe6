import { describe, expect, test } from 'vitest';
import { gateway6Of, gatewayOf } from './gateway.ts';

const network = (name: string, gatewayPriority = 0, internal = false, hasIpv6 = false) => ({
  ...{ network: name, gatewayPriority, internal, hasIpv6 },
});

describe('the network with the default route', () => {
  test.each([
    ['none', [], undefined],
    ['the only one', [network('web')], 'web'],
    ['the first by name', [network('web'), network('back'), network('zone')], 'back'],
    ['bytes, not words', [network('b'), network('B')], 'B'],
    ['the highest priority', [network('back'), network('web', 2), network('zone', 1)], 'web'],
    ['a negative priority', [network('back', -1), network('web')], 'web'],
    ['no internal one', [network('back', 9, true), network('web', -9)], 'web'],
    ['one with IPv6 too', [network('back'), network('web', 0, false, true)], 'web'],
    ['only internal ones', [network('back', 0, true)], undefined],
  ])('%s', (_what, networks, name) => {
    expect(gatewayOf(networks)?.network).toBe(name);
  });
});

test('IPv6 may go through another network', () => {
  const networks = [network('back', 1), network('web', 0, false, true), network('alone', 9, true, true)];
  expect([gatewayOf(networks)?.network, gateway6Of(networks)?.network]).toEqual(['back', 'web']);
  expect(gateway6Of([network('back')])).toBeUndefined();
});
