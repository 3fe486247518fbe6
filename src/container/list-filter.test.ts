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
    ['foo=bar', "invalid filter 'foo'"],
    ['constructor=bar', "invalid filter 'constructor'"],
  ])('refuses %s as Docker 28.5 does', (text, message) => {
    expect(() => parseListFilters([text])).toThrow(expect.objectContaining({ code: 'INVALID', message }));
  });

  test('keys are taken in any case, values with an equals sign whole', () => {
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
    ['one with a slash', ['name=^/web$'], true],
    ['one that does not match', ['name=^eb$'], false],
    ['what is no regular expression', ['name=['], false],
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
  ] as const)('%s', (_, texts, expected) => {
    expect(matches(...texts)).toBe(expected);
  });

  test('an exit code', () => {
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
  ] as const)('%j', (texts, health, expected) => {
    expect(matchesHealth(parseListFilters(texts), health)).toBe(expected);
  });
});
