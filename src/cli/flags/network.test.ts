import { expect, test } from 'vitest';
import { parseArguments } from '../grammar/parse.ts';
import { networkOptionSpecs, networkRequestFrom } from './network.ts';

const request = (...argv: string[]) => networkRequestFrom(parseArguments(networkOptionSpecs, argv).options, 'bridge');

test.each<[readonly string[], string, readonly string[]]>([
  [[], 'bridge', []],
  [['--network='], 'bridge', []],
  [['--network=default'], 'bridge', []],
  [['--network=app', '--network-alias=www'], 'app', ['www']],
  [['--net', 'container:db'], 'container:db', []],
  [['--network=name=app,alias=www,alias=web'], 'app', ['www', 'web']],
  [['--network=name=host'], 'host', []],
])('network options %j', (argv, network, aliases) => {
  const { network: found, networking } = request(...argv);
  expect([found, networking.endpoints.flatMap((endpoint) => endpoint.aliases)]).toEqual([network, aliases]);
});

test('several networks: the older options belong to the first', () => {
  const { networking } = request(
    ...['--network=a', '--network=name=b,alias=x,ip=10.0.0.3,mac-address=02-00-00-00-00-0A,gw-priority=-1'],
    ...['--ip=10.1.0.3', '--mac-address=02:00:00:00:00:01', '--network-alias=y', '--link=db:data'],
  );
  expect(networking.endpoints).toEqual([
    {
      ...{ network: 'a', aliases: ['y'], links: ['db:data'], ipv4Address: '10.1.0.3', mac: '02:00:00:00:00:01' },
      ...{ gatewayPriority: 0, driverOpts: {} },
    },
    {
      ...{ network: 'b', aliases: ['x'], links: [], ipv4Address: '10.0.0.3', mac: '02:00:00:00:00:0a' },
      ...{ gatewayPriority: -1, driverOpts: {} },
    },
  ]);
});

test.each([
  [
    ['--network=a', '--network=none'],
    'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
  ],
  [
    ['--network=bridge', '--network=a'],
    'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
  ],
  [
    ['--network=name=a,ip=10.0.0.3', '--ip=10.0.0.4'],
    'conflicting options: cannot specify both --ip and per-network IPv4 address',
  ],
  [['--network=name=a,mac-address=02:00:00:00:00:0g'], '02:00:00:00:00:0g is not a valid mac address'],
  [['--mac-address=1'], '1 is not a valid mac address'],
  [['--network=name=a,gw-priority=high'], 'invalid gw-priority (high): invalid syntax'],
  [['--network=a', '--network=a'], 'network "a" is specified multiple times'],
  [
    ['--network=name=a,link-local-ip=fe80::3'],
    'link-local-ip of --network is not supported: name=a,link-local-ip=fe80::3',
  ],
  [['--network=alias=a'], 'network name/id is not specified'],
  [['--network=name=a,colour=red'], 'invalid field key colour'],
  [['--network=name=a,alias'], 'invalid field alias'],
  [
    ['--network=name=a,alias=b', '--network-alias=c'],
    'conflicting options: cannot specify both --network-alias and per-network alias',
  ],
])('refuses network options %j', (argv, message) => {
  expect(() => request(...argv)).toThrow(expect.objectContaining({ code: 'USAGE', message }));
});
