import { describe, expect, test } from 'vitest';
import type { Attachment, Membership } from '../network/attachment.ts';
import { inTurn, lookUp, lookUpOwner, namesOfNetworks, zoneOf } from './zone.ts';

function membership(network: string, address: string, part: Partial<Membership> = {}): Membership {
  return {
    ...{ network, networkId: network, interfaceName: 'eth0', plugins: [], names: [], links: [] },
    ...{ gatewayPriority: 0, internal: false, hasIpv6: false, sysctls: [] },
    endpoint: { address, prefix: 24, gateway: '', mac: '' },
    ...part,
  };
}
const attachment = (name: string, ...memberships: readonly Membership[]): Attachment => ({
  ...{
    namespace: 'default',
    id: `${name}id`,
    name,
    memberships,
    ports: [],
    hostname: name,
    hostsPath: '',
    extraHosts: [],
  },
  holder: { bootId: '', pid: 1, startTimeTicks: 1 },
});
const endpoint6 = (address: string, v6: string) => ({
  ...{ address, prefix: 24, gateway: '', mac: '' },
  ipv6: { address: v6, prefix: 64, gateway: '' },
});

const web1 = attachment('web-1', membership('app', '10.0.0.2', { names: ['web-1', 'web'] }));
const web2 = attachment(
  'web-2',
  membership('app', '10.0.0.3', { names: ['web-2', 'Web'], endpoint: endpoint6('10.0.0.3', 'fd00::3') }),
  membership('back', '10.0.1.3', { names: ['web-2'] }),
);
const far = attachment('far', membership('back', '10.0.1.9', { names: ['far'] }));
const plain = attachment('plain', membership('bridge', '10.88.0.2', { links: ['far:x', 'peer:db'] }));
const peer = attachment('peer', membership('bridge', '10.88.0.3'));
const all = [web1, web2, far, plain, peer];
const zone = (member: Attachment) => zoneOf(member, namesOfNetworks(all), all);

describe('the names that a container may ask', () => {
  test('are those of its own networks, in lower case, also with the name of the network', () => {
    expect(lookUp(zone(web1), 'web')).toEqual({ v4: ['10.0.0.2', '10.0.0.3'], v6: ['fd00::3'] });
    expect(lookUp(zone(web1), 'web-2.app')).toEqual({ v4: ['10.0.0.3'], v6: ['fd00::3'] });
    expect(lookUp(zone(web1), 'far')).toBeUndefined();
    expect(lookUp(zone(web1), 'far.back')).toBeUndefined();
    expect(lookUp(zone(web2), 'far.back')?.v4).toEqual(['10.0.1.9']);
    expect(lookUp(zone(far), 'web-2')?.v4).toEqual(['10.0.1.3']);
    expect(lookUp(zone(web1), 'constructor')).toBeUndefined();
    expect(lookUp(zone(web1), '.app')).toBeUndefined();
  });

  test('on the default network are its links', () => {
    expect(lookUp(zone(plain), 'peer')).toBeUndefined();
    expect(lookUp(zone(plain), 'db')?.v4).toEqual(['10.88.0.3']);
    expect(lookUp(zone(plain), 'x')).toBeUndefined();
    expect(lookUp(zone(peer), 'db')).toBeUndefined();
  });

  test('an address has the name of its container', () => {
    expect(lookUpOwner(zone(web1), '3.0.0.10.in-addr.arpa')).toBe('web-2.app');
    expect(lookUpOwner(zone(web1), `3.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`)).toBe('web-2.app');
    expect(lookUpOwner(zone(web1), '9.1.0.10.in-addr.arpa')).toBeUndefined();
  });

  test('a container without an interface yet has no name', () => {
    const { endpoint: _, ...begun } = membership('app', '', { names: ['new'] });
    expect(lookUp(zoneOf(web1, namesOfNetworks([web1, attachment('new', begun)]), all), 'new')).toBeUndefined();
  });
});

test('each of a list is first in turn', () => {
  expect([0, 1, 2, 3].map((turn) => inTurn(['a', 'b', 'c'], turn).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  expect(inTurn([], 5)).toEqual([]);
});
