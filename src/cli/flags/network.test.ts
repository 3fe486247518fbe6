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
  expect([found, networking.aliases]).toEqual([network, aliases]);
});

test.each([
  [['--network=a', '--network=b'], 'several networks are not supported yet: a, b'],
  [['--network=a', '--net', 'b', '--network=c'], 'several networks are not supported yet: a, b, c'],
  [['--network=a', '--network=name=b,alias=x'], 'several networks are not supported yet: a, b'],
  [['--network=bridge', '--network=none'], 'several networks are not supported yet: bridge, none'],
  [['--network=a', '--network=a'], 'network "a" is specified multiple times'],
  [['--network=name=a,ip=10.0.0.3'], 'ip of --network is not supported yet: name=a,ip=10.0.0.3'],
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
