import { expect, test } from 'vitest';
import { routesFrom, subnetsFrom } from './host-subnets.ts';
import { subnetText } from './subnet.ts';

test('reads the routes of the kernel, without the default route', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    'tun0\t0100080A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0',
    'broken',
  ].join('\n');
  expect(routesFrom(table).map(subnetText)).toEqual(['192.0.2.0/24', '10.8.0.1/32']);
});

test('reads the subnets of a CNI configuration, without its default route', () => {
  const config = '{"ipam":{"ranges":[[{"subnet":"10.4.0.0/24","gateway":"10.4.0.1"}]],"routes":[{"dst":"0.0.0.0/0"}]}}';
  expect(subnetsFrom(config).map(subnetText)).toEqual(['10.4.0.0/24']);
});
