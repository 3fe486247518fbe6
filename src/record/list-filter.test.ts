import { describe, expect, test } from 'vitest';
import { aState } from '../../test/builders/health.ts';
import { aHealth, aView, noHealth, ownRecord } from '../../test/builders/listed.ts';
import { matchesHealth, matchesView, parseListFilters } from './list-filter.ts';

describe('parseListFilters', () => {
  test.each([
    [
      'health=foo',
      "invalid filter 'health=foo': invalid value for health (foo): must be one of none, starting, healthy, unhealthy",
    ],
    [
      'health=',
      "invalid filter 'health=': invalid value for health (): must be one of none, starting, healthy, unhealthy",
    ],
    [
      'health=Healthy',
      "invalid filter 'health=Healthy': invalid value for health (Healthy): must be one of none, starting, healthy, unhealthy",
    ],
    [
      'status=foo',
      "invalid filter 'status=foo': invalid value for state (foo): must be one of created, running, paused, restarting, removing, exited, dead",
    ],
    ['exited=x', `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`],
    ['publish=0.0.0.0:80', "filter for 'publish' should not contain ':': 0.0.0.0:80"],
    ['expose=', 'error while looking up for expose : invalid port range: value is empty'],
    ['expose=http', "error while looking up for expose http: invalid start port 'http': invalid syntax"],
    ['publish=80-', "error while looking up for publish 80-: invalid end port '': value is empty"],
    ['publish=90-80', 'error while looking up for publish 90-80: invalid port range: 90-80'],
    ['publish=65536', "error while looking up for publish 65536: invalid start port '65536': value out of range"],
    ['is-task=maybe', "invalid filter 'is-task=[maybe]'"],
    ['foo=bar', "invalid filter 'foo'"],
    ['constructor=bar', "invalid filter 'constructor'"],
  ])('refuses %s like Docker 28.5', (text, message) => {
    expect(() => parseListFilters([text])).toThrow(expect.objectContaining({ code: 'INVALID', message }));
  });

  test('accepts keys in any case, and values with an equals sign', () => {
    const filters = parseListFilters([' Label = a=b=c ', 'label=x']);
    expect(filters.get('label')).toEqual(['a=b=c', 'x']);
  });
});

describe('matchesView', () => {
  const view = aView({
    record: ownRecord({ id: 'abcdef', labels: { 'nerdctl/networks': '["none"]', a: 'b', empty: '' } }),
  });
  const matches = (...texts: string[]) => matchesView(parseListFilters(texts), view);

  test.each([
    ['no filter', [], true],
    ['a name', ['name=web'], true],
    ['a part of the name', ['name=e'], true],
    ['a regular expression', ['name=^w.b$'], true],
    ['a regular expression with a slash', ['name=^/web$'], true],
    ['a regular expression that does not match', ['name=^eb$'], false],
    ['an invalid regular expression', ['name=['], false],
    ['one of two names', ['name=nope', 'name=web'], true],
    ['the beginning of the id', ['id=abc'], true],
    ['another part of the id', ['id=cde'], false],
    ['its state', ['status=running'], true],
    ['one of two states', ['status=exited', 'status=running'], true],
    ['another state', ['status=paused'], false],
    ['a label', ['label=a'], true],
    ['a label with its value', ['label=a=b'], true],
    ['a label with another value', ['label=a=c'], false],
    ['a label without a value', ['label=empty='], true],
    ['two labels, one of them missing', ['label=a', 'label=nope'], false],
    ['a label of nerdctl’s', ['label=nerdctl/networks'], false],
    ['an inherited property as a label', ['label=constructor'], false],
    ['its network', ['network=none'], true],
    ['another network', ['network=host'], false],
    ['its image', ['ancestor=demo:1'], true],
    ['its image in full', ['ancestor=docker.io/library/demo:1'], true],
    ['another tag', ['ancestor=demo'], false],
    ['its image by id', ['ancestor=abab'], true],
    ['its image by full id', [`ancestor=sha256:${'ab'.repeat(32)}`], true],
    ['an exit code while it runs', ['exited=0'], false],
    ['name and another state', ['name=web', 'status=exited'], false],
  ] as const)('finds or does not find the container by %s', (_, texts, expected) => {
    expect(matches(...texts)).toBe(expected);
  });

  const ports = '0.0.0.0:8000-8002->80-82/tcp, 127.0.0.1:5353->53/udp, 443/tcp';
  const served = aView({ record: ownRecord({ labels: { 'healthctl/ports': ports } }) });
  test.each([
    [['expose=80'], true],
    [['expose=82/tcp'], true],
    [['expose=83'], false],
    [['expose=443'], true],
    [['expose=53'], false],
    [['expose=53/UDP'], true],
    [['expose=1-65535/tcp'], true],
    [['expose=8000'], false],
    [['publish=8001'], true],
    [['publish=8002-9000/tcp'], true],
    [['publish=8003-9000/tcp'], false],
    [['publish=5353/udp'], true],
    [['publish=5353'], false],
    [['publish=80'], false],
    [['publish=443'], false],
    [['publish=1', 'publish=8000'], true],
    [['publish=1', 'expose=443'], true],
    [['publish=1', 'expose=2'], false],
    [['expose=80/'], true],
    [['expose=80/sctp'], false],
    [['is-task=false'], true],
    [['is-task=0'], true],
    [['is-task=true'], false],
    [['is-task=1'], false],
    [['isolation=default'], true],
    [['isolation=hyperv'], true],
  ])('ports: %j', (texts, expected) => {
    expect(matchesView(parseListFilters(texts), served)).toBe(expected);
  });

  test('a stopped container has no ports; damaged ports count as none', () => {
    const ended = aView({ ...served, state: 'exited' });
    expect(matchesView(parseListFilters(['expose=80']), ended)).toBe(false);
    const damaged = aView({ record: ownRecord({ labels: { 'healthctl/ports': 'x->80/tcp, 80-/tcp, 81/tcp' } }) });
    expect(matchesView(parseListFilters(['expose=80']), damaged)).toBe(false);
    expect(matchesView(parseListFilters(['expose=81']), damaged)).toBe(true);
  });

  test('finds a container by its exit code', () => {
    const ended = aView({ state: 'exited', exit: { code: 3, atMs: 0 } });
    expect(matchesView(parseListFilters(['exited=3']), ended)).toBe(true);
    expect(matchesView(parseListFilters(['exited=0']), ended)).toBe(false);
  });
});

describe('matchesHealth', () => {
  const unhealthy = aHealth({ state: aState({ status: 'unhealthy' }) });
  test.each([
    [[], noHealth, true],
    [['health=none'], noHealth, true],
    [['health=healthy'], noHealth, false],
    [['health=unhealthy'], unhealthy, true],
    [['health=healthy', 'health=unhealthy'], unhealthy, true],
    [['health=none', 'health=starting'], unhealthy, false],
    [['health=none'], aHealth({ state: undefined }), true],
  ] as const)('health: %j', (texts, health, expected) => {
    expect(matchesHealth(parseListFilters(texts), health)).toBe(expected);
  });
});
