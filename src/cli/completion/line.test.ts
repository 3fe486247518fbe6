import { describe, expect, test } from 'vitest';
import type { NameKind } from '../command.ts';
import { registry } from '../registry.ts';
import { answerText } from './answer.ts';
import { type Candidate, expand, type Found, fitting } from './candidates.ts';
import { findSpot } from './line.ts';

/** A host with one name of each kind, which is the name of the kind. */
const namesOf = async (kind: NameKind): Promise<readonly Candidate[]> => [
  { value: `a-${kind}`, description: `what ${kind} is` },
];

async function foundAt(...words: readonly string[]): Promise<Found> {
  const spot = await findSpot(registry, words.slice(0, -1), words.at(-1) ?? '');
  return spot.completion
    ? expand(spot.completion, spot.text, namesOf)
    : { candidates: fitting(spot.candidates, spot.text), paths: undefined };
}
const offered = async (...words: readonly string[]): Promise<readonly string[]> =>
  (await foundAt(...words)).candidates.map(({ value }) => value);

describe('commands', () => {
  test('lists commands and nouns at the beginning, without hidden ones', async () => {
    const words = await offered('');
    expect(words).toEqual(expect.arrayContaining(['container', 'ps', 'run', 'completion', 'help']));
    expect(words.filter((word) => word.startsWith('_') || word === 'check-once')).toEqual([]);
  });
  test.each<[words: readonly string[], expected: readonly string[]]>([
    [['im'], ['image', 'import', 'images']],
    [
      ['-n', 'shop', 'im'],
      ['image', 'import', 'images'],
    ],
    [
      ['--namespace=shop', '-D', 'im'],
      ['image', 'import', 'images'],
    ],
    [
      ['network', ''],
      ['connect', 'create', 'disconnect', 'inspect', 'ls', 'list', 'prune', 'rm', 'remove'],
    ],
    [
      ['network', 'r'],
      ['rm', 'remove'],
    ],
    [
      ['help', 'network', 'r'],
      ['rm', 'remove'],
    ],
    [['help', '--'], ['--all']],
    [['help', 'ps', ''], []],
    [['nothing', ''], []],
    [['network', 'nothing', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['completion', 'bash', ''], []],
  ])('completes %j to %j', async (words, expected) => expect(await offered(...words)).toEqual(expected));
});

describe('options', () => {
  test.each<[words: readonly string[], expected: readonly string[]]>([
    [['--n'], ['--namespace']],
    [['ps', '--fi'], ['--filter']],
    [['ps', '--filter', 'status=exited', '--no'], ['--no-trunc']],
    [
      ['ps', '--al'],
      ['--all', '--all-namespaces'],
    ],
    [['daemon', '--log'], ['--log-format']],
    [['daemon', 'install', '--p'], ['--print']],
    [['ps', '--', '--al'], []],
    // After the image, options belong to the program in the container.
    [['run', 'web', '--na'], []],
    [['exec', 'web', 'ls', '--co'], []],
    [['run', '--autostarted'], []],
  ])('completes %j to %j', async (words, expected) => expect(await offered(...words)).toEqual(expected));

  test('offers letters only after a single dash', async () => {
    expect(await offered('ps', '-')).toEqual(expect.arrayContaining(['-a', '--all', '--help']));
    expect(await offered('ps', '--')).not.toContain('-a');
  });
  test('offers each option with its text', async () => {
    const { candidates } = await foundAt('ps', '--qu');
    expect(candidates).toEqual([{ value: '--quiet', description: 'Only display container IDs' }]);
  });
});

describe('values of options', () => {
  test.each<[words: readonly string[], expected: readonly string[]]>([
    [
      ['run', '--pull', ''],
      ['always', 'missing', 'never'],
    ],
    [['run', '--pull=n'], ['never']],
    [['run', '-dit', '--pull', 'n'], ['never']],
    [['run', '--health-on-failure', 're'], ['restart']],
    [
      ['run', '--network', ''],
      ['container:', 'a-network'],
    ],
    [['run', '--network=container:'], ['container:a-container']],
    [['run', '--net=a-'], ['a-network']],
    [['run', '-v', 'a-'], ['a-volume']],
    [['run', '--name', ''], []],
    [['run', '--rm=f'], ['false']],
    [
      ['kill', '-s', 'US'],
      ['USR1', 'USR2'],
    ],
    [['kill', '-sKILL', 'a-'], ['a-up']],
    [['ps', '-f', 'st'], ['status=']],
    [['ps', '-aqf', 'status=pa'], ['status=paused']],
    [['ps', '--filter=health=un'], ['health=unhealthy']],
    [['-n', ''], ['a-namespace']],
    [['ps', '--namespace', ''], ['a-namespace']],
    [['-e'], []],
  ])('completes %j to %j', async (words, expected) => expect(await offered(...words)).toEqual(expected));

  test.each<[words: readonly string[], paths: Found['paths']]>([
    [['run', '--env-file', ''], 'file'],
    [['run', '--env-file=./'], 'file'],
    [['run', '--health-http-ca', ''], 'file'],
    [['--data-root', ''], 'directory'],
    [['load', '-i', ''], 'file'],
    [['run', '-v', '/ho'], 'file'],
    [['run', '-v', ''], undefined],
    [['run', '--runtime', './'], 'file'],
    [['run', '--security-opt', 'seccomp=/'], 'file'],
    [['ps', ''], undefined],
  ])('completes %j with paths: %j', async (words, paths) => expect((await foundAt(...words)).paths).toBe(paths));
});

describe('arguments', () => {
  test.each<[words: readonly string[], expected: readonly string[]]>([
    [['stop', ''], ['a-up']],
    [['stop', 'one', '--time', '5', ''], ['a-up']],
    [['start', ''], ['a-stopped']],
    [['unpause', ''], ['a-paused']],
    [['exec', '-it', ''], ['a-running']],
    [['exec', 'web', ''], []],
    [['rm', ''], ['a-stopped']],
    [['rm', '-f', ''], ['a-container']],
    [['container', 'rm', '--force', 'one', ''], ['a-container']],
    [['rename', 'web', ''], []],
    [['run', '--rm', '-it', ''], ['a-image']],
    [['run', 'web', ''], []],
    [['rmi', 'one', ''], ['a-image']],
    [['tag', 'one', ''], ['a-image']],
    [['tag', 'one', 'two', ''], []],
    [
      ['inspect', ''],
      ['a-container', 'a-image', 'a-network', 'a-volume'],
    ],
    [['inspect', '--type', 'volume', ''], ['a-volume']],
    [['network', 'rm', ''], ['a-network']],
    [['volume', 'inspect', ''], ['a-volume']],
    [['logs', '--wrong', 'a-'], ['a-container']],
    [['logs', 'one', ''], []],
  ])('completes %j to %j', async (words, expected) => expect(await offered(...words)).toEqual(expected));

  test('global options are known, also after the command, where they are refused', async () => {
    const spot = await findSpot(registry, ['-n', 'a', '--address=/x', 'logs', '--namespace', 'b'], '');
    expect([...spot.globals]).toEqual([
      ['namespace', ['b']],
      ['address', ['/x']],
    ]);
  });
  test('knows the options that are already on the line', async () => {
    expect((await findSpot(registry, ['rm', '-f', 'one', 'two'], '')).taken).toEqual(['one', 'two']);
  });
  test.each(registry.commands.map((entry) => [entry.path.join(' '), entry] as const))(
    '%s: offers what its usage names',
    async (_name, entry) => {
      const { usage, complete } = await entry.load();
      if (/\b(CONTAINER|IMAGE|VOLUME \[|NETWORK \[|NAME\|ID)/.test(usage))
        expect(complete, 'give the command a `complete`').toBeDefined();
    },
  );
  test.each(registry.commands.map((entry) => [entry.path.join(' '), entry] as const))(
    'of %s, if it has a format, include json',
    async (_name, entry) => {
      const format = (await entry.load()).options.find(({ name }) => name === 'format');
      if (format) expect(await offered(...entry.path, '--format', 'js')).toEqual(['json']);
    },
  );
});

describe('what is offered', () => {
  const fits = (...values: readonly string[]) =>
    fitting(
      values.map((value) => ({ value, description: '' })),
      '',
    ).map(({ value }) => value);

  test('contains no name that a terminal would interpret or that would be an option', () =>
    expect(fits('web', 'a\tb', 'a\nb', 'a\u001b[2J', 'a\u202eb', '--force', '', 'web')).toEqual(['web']));
  test('has a description of one line, without control characters', () => {
    const [one] = fitting([{ value: 'web', description: `\u001b[2J${'x'.repeat(100)}\nmore` }], 'w');
    expect(one?.description).toBe(`\\x1b[2J${'x'.repeat(62)}…`);
  });
  test('says whether to add paths, then lists the words without the part that the shell keeps', () => {
    const candidates = [{ value: 'none', description: 'null' }];
    expect(answerText({ candidates, paths: undefined }, { before: '--network=', cut: 0 })).toBe(
      ':\n--network=none\tnull\n',
    );
    expect(answerText({ candidates, paths: undefined }, { before: '--network=', cut: 10 })).toBe(':\nnone\tnull\n');
    expect(answerText({ candidates: [], paths: 'file' }, { before: '', cut: 0 })).toBe(':file\n');
  });
});
