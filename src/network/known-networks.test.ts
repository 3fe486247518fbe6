import { describe, expect, test } from 'vitest';
import { messageOf } from '../lib/errors.ts';
import { type KnownNetwork, matchesNetwork, parseNetworkFilters } from './known-networks.ts';

const app: KnownNetwork = { id: 'abc1', name: 'app', driver: 'bridge', internal: false, labels: { team: 'a' } };
const bridge: KnownNetwork = { id: 'abd2', name: 'bridge', driver: 'bridge', internal: false, labels: {} };
const none: KnownNetwork = { id: 'fff3', name: 'none', driver: 'null', internal: false, labels: {} };

describe('network ls --filter', () => {
  test.each<[string[], string[]]>([
    [[], ['app', 'bridge', 'none']],
    [['name=pp'], ['app']],
    [['name=.*pp.*'], ['app']],
    [['name=^b.*e$'], ['bridge']],
    [['name=^(app|none)$'], ['app', 'none']],
    [['name=^pp'], []],
    [['name=('], []],
    [
      ['name=app', 'name=none'],
      ['app', 'none'],
    ],
    [['id=ab'], ['app', 'bridge']],
    [['id=^ab.2$'], ['bridge']],
    [['id=f3'], ['none']],
    [['driver=null'], ['none']],
    [['type=custom'], ['app']],
    [['type=builtin', 'driver=bridge'], ['bridge']],
    [['scope=swarm'], []],
    [['label=team'], ['app']],
    [['label=team=b'], []],
    [['dangling=true'], ['app']],
    [['dangling=0'], ['bridge', 'none']],
  ])('finds networks with %j', (texts, expected) => {
    const filters = parseNetworkFilters(texts);
    const found = [app, bridge, none].filter((network) => matchesNetwork(filters, network, false));
    expect(found.map(({ name }) => name)).toEqual(expected);
  });

  test('a network with containers is not dangling', () => {
    expect(matchesNetwork(parseNetworkFilters(['dangling=true']), app, true)).toBe(false);
  });

  test.each([
    ['x=1', "invalid filter 'x'"],
    ['type=odd', "invalid filter: 'type'='odd'"],
    ['dangling=maybe', `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`],
  ])('refuses %s', (text, reason) => {
    try {
      parseNetworkFilters([text]);
      expect.unreachable();
    } catch (error) {
      expect(messageOf(error)).toBe(reason);
    }
  });
});
