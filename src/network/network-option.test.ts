import { expect, test } from 'vitest';
import { parseNetworkOptions } from './network-option.ts';

test.each([
  [[], { unknown: [] }],
  [['com.docker.network.driver.mtu=1400'], { mtu: 1400, unknown: [] }],
  [['mtu=9000', 'a=b', 'mtu=1280'], { mtu: 1280, unknown: ['a=b'] }],
])('reads %j', (texts, expected) => expect(parseNetworkOptions(texts)).toEqual(expected));

test.each([
  ['mtu=x', 'failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing "x": invalid syntax)'],
  ['mtu=-1', 'failed to parse com.docker.network.driver.mtu value: -1 (strconv.Atoi: parsing "-1": invalid syntax)'],
  ['mtu=67', 'failed to parse com.docker.network.driver.mtu value: 67 (it must be between 68 and 65535)'],
  ['mtu=65536', 'failed to parse com.docker.network.driver.mtu value: 65536 (it must be between 68 and 65535)'],
])('refuses %s', (text, message) => {
  expect(() => parseNetworkOptions([text])).toThrow(expect.objectContaining({ code: 'INVALID', message }));
});
