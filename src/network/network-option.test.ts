import { expect, test } from 'vitest';
import { parseNetworkOptions } from './network-option.ts';

test.each([
  [[], { unknown: [] }],
  [['com.docker.network.driver.mtu=1400'], { mtu: 1400, unknown: [] }],
  [['mtu=9000', 'a=b', 'mtu=1280'], { mtu: 1280, unknown: ['a=b'] }],
  [
    ['com.docker.network.bridge.name=web0', 'com.docker.network.bridge.enable_ip_masquerade=false'],
    { bridge: 'web0', isMasqueraded: false, unknown: [] },
  ],
  [['com.docker.network.bridge.enable_ip_masquerade=true', 'x'], { unknown: ['x'] }],
])('reads %j', (texts, expected) => expect(parseNetworkOptions(texts)).toEqual(expected));

test.each([
  ['mtu=x', 'failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing "x": invalid syntax)'],
  ['mtu=-1', 'failed to parse com.docker.network.driver.mtu value: -1 (strconv.Atoi: parsing "-1": invalid syntax)'],
  ['mtu=67', 'failed to parse com.docker.network.driver.mtu value: 67 (it must be between 68 and 65535)'],
  ['mtu=65536', 'failed to parse com.docker.network.driver.mtu value: 65536 (it must be between 68 and 65535)'],
  ['com.docker.network.bridge.name=a/b', 'invalid bridge name: a/b: up to 15 of [a-zA-Z0-9_.-] are allowed'],
  [
    'com.docker.network.bridge.enable_ip_masquerade=yes',
    'failed to parse com.docker.network.bridge.enable_ip_masquerade value: yes (strconv.ParseBool: parsing "yes": invalid syntax)',
  ],
])('refuses %s', (text, message) => {
  expect(() => parseNetworkOptions([text])).toThrow(expect.objectContaining({ code: 'INVALID', message }));
});
