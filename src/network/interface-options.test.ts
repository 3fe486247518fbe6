import { expect, test } from 'vitest';
import { interfaceNamesFor, interfaceOptionsOf, interfaceProblems, sysctlFileOf } from './interface-options.ts';

const options = (ifname?: string, sysctls?: string) =>
  interfaceOptionsOf({
    ...(ifname === undefined ? {} : { 'com.docker.network.endpoint.ifname': ifname }),
    ...(sysctls === undefined ? {} : { 'com.docker.network.endpoint.sysctls': sysctls }),
  });

test('names of interfaces: asked ones, and the first free ones', () => {
  expect(interfaceNamesFor([{}, {}])).toEqual(['eth0', 'eth1']);
  expect(interfaceNamesFor([options('eth1'), {}, {}])).toEqual(['eth1', 'eth0', 'eth2']);
  expect(interfaceNamesFor([{}], ['eth0', 'wan', 'eth2'])).toEqual(['eth1']);
});

test('settings of an interface', () => {
  const { sysctls } = options(undefined, 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.ifname.accept_ra=2');
  expect(sysctls.map((sysctl) => sysctlFileOf(sysctl, 'eth0'))).toEqual([
    { path: '/proc/sys/net/ipv4/conf/eth0/log_martians', value: '1' },
    { path: '/proc/sys/net/ipv6/conf/eth0/accept_ra', value: '2' },
  ]);
  expect(options()).toEqual({ sysctls: [] });
});

test.each([
  [options('wan0', 'net.ipv4.conf.IFNAME.log_martians=1'), []],
  [options('../x'), ['invalid interface name: ../x']],
  [options('lo'), ['invalid interface name: lo']],
  [options('sixteencharacter'), ['invalid interface name: sixteencharacter']],
  [
    options(undefined, 'net.ipv4.conf.eth0.log_martians=1'),
    [
      "unrecognised network interface sysctl 'net.ipv4.conf.eth0.log_martians=1'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'",
    ],
  ],
  [options(undefined, 'net.ipv4.conf.IFNAME.a/../../../x=1'), [expect.stringContaining('unrecognised')]],
])('problems of %j', (given, problems) => {
  expect(interfaceProblems(given)).toEqual(problems);
});
