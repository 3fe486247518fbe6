import { describe, expect, test } from 'vitest';
import { aView } from '../../test/builders/listed.ts';
import { plainEndpoint } from './endpoint-config.ts';
import type { ShownAttachment } from './nerdctl-network.ts';
import { networkSettingsOf } from './network-settings.ts';

const endpoint = { address: '10.80.0.2', prefix: 20, gateway: '10.80.0.1', mac: 'aa:bb:cc:dd:ee:ff' };
const attachment: ShownAttachment = {
  ports: [{ hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  memberships: [{ network: 'app', networkId: 'n1', endpointId: 'e1', names: ['web', 'www'], endpoint }],
};
const details = {
  networks: ['app'],
  config: { ExposedPorts: { '80/tcp': {}, '443/tcp': {} } },
  endpoints: [{ ...plainEndpoint('app'), aliases: ['www'], ipv4Address: '10.80.0.2' }],
};

describe('NetworkSettings', () => {
  test('of an attached container', () => {
    expect(networkSettingsOf(aView(), { details, attachment })).toMatchObject({
      IPAddress: '',
      Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '443/tcp': null },
      Networks: {
        app: {
          ...{
            IPAMConfig: { IPv4Address: '10.80.0.2' },
            IPAddress: '10.80.0.2',
            IPPrefixLen: 20,
            Gateway: '10.80.0.1',
          },
          ...{ NetworkID: 'n1', EndpointID: 'e1', Aliases: ['www'], DNSNames: ['web', 'www'], GwPriority: 0 },
          ...{ MacAddress: 'aa:bb:cc:dd:ee:ff', Links: null, DriverOpts: null },
        },
      },
    });
  });

  test('on several networks: by name, and the address above only for the default one', () => {
    const [first] = attachment.memberships;
    const both = [
      { ...first, network: 'bridge', networkId: 'n0', endpointId: 'e0', names: [], endpoint },
      { network: 'app', networkId: 'n1', endpointId: 'e1', names: ['web'] },
    ];
    const settings = networkSettingsOf(aView(), {
      details: { ...details, networks: ['bridge', 'app'] },
      attachment: { ...attachment, memberships: both },
    });
    expect(settings).toMatchObject({ IPAddress: '10.80.0.2', Gateway: '10.80.0.1', EndpointID: 'e0' });
    expect(Object.keys(settings.Networks ?? {})).toEqual(['app', 'bridge']);
  });

  test('of a stopped container: networks without an address, whatever the record says', () => {
    const stopped = aView({ state: 'exited', task: undefined });
    for (const facts of [
      { details, attachment },
      { details, attachment: undefined },
    ]) {
      expect(networkSettingsOf(stopped, facts)).toMatchObject({ IPAddress: '', Ports: {}, SandboxKey: '' });
      expect(networkSettingsOf(stopped, facts).Networks).toMatchObject({ app: { IPAddress: '' } });
    }
  });

  test("of a container in another container's network: none", () => {
    const joined = { ...details, networks: ['container:abc'] };
    expect(networkSettingsOf(aView(), { details: joined, attachment: undefined }).Networks).toEqual({});
  });
});
