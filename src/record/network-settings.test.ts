import { describe, expect, test } from 'vitest';
import { aView } from '../../test/builders/listed.ts';
import type { Attachment } from '../network/attachment.ts';
import { networkSettingsOf } from './network-settings.ts';

const attachment: Attachment = {
  namespace: 'default',
  id: 'c1',
  name: 'web',
  holder: { bootId: 'b', pid: 4711, startTimeTicks: 1 },
  network: 'app',
  networkId: 'n1',
  plugins: [],
  ports: [{ hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  names: ['web', 'www'],
  hostname: 'web',
  hostsPath: '/x',
  extraHosts: [],
  endpoint: { address: '10.80.0.2', prefix: 20, gateway: '10.80.0.1', mac: 'aa:bb:cc:dd:ee:ff' },
};
const details = {
  networks: ['app'],
  config: { ExposedPorts: { '80/tcp': {}, '443/tcp': {} } },
  aliases: ['www'],
};

describe('NetworkSettings', () => {
  test('of an attached container', () => {
    expect(networkSettingsOf(aView(), { details, attachment })).toMatchObject({
      IPAddress: '10.80.0.2',
      IPPrefixLen: 20,
      Gateway: '10.80.0.1',
      MacAddress: 'aa:bb:cc:dd:ee:ff',
      Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '443/tcp': null },
      Networks: {
        app: { IPAddress: '10.80.0.2', NetworkID: 'n1', Aliases: ['www'], DNSNames: ['web', 'www'] },
      },
    });
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
