import { describe, expect, test } from 'vitest';
import { dockerLikeRegistry as registry } from '../../../test/builders/registry.ts';
import { golden } from '../../../test/golden/golden.ts';
import { HealthctlError } from '../../lib/errors.ts';
import { resolveRequest } from './resolve.ts';

const resolve = (...argv: string[]) => resolveRequest(registry, argv);

test("options after a noun are those of the noun's default command", async () => {
  const nouns = registry.nouns.map((noun) => (noun.name === 'container' ? { ...noun, alone: 'ls' } : noun));
  const ask = (...argv: string[]) => resolveRequest({ ...registry, nouns }, argv);
  expect(await ask('container', '--all')).toMatchObject({ kind: 'run', target: { path: ['container', 'ls'] } });
  expect(await ask('container', '-h')).toMatchObject({ kind: 'help', target: { kind: 'noun' } });
  await expect(resolve('container', '--all')).rejects.toMatchObject({ code: 'USAGE' });
});

test('a command for another program gets all words as they are, but for --help in front', async () => {
  const load = async () => ({ usage: '', options: [], args: { min: 0 }, passesOptions: true, run: async () => ({}) });
  const commands = [{ path: ['compose'], aliases: [], summary: '', load }];
  const ask = (...argv: string[]) => resolveRequest({ nouns: [], commands }, ['compose', ...argv]);
  const words = ['-f', 'x', '--', 'up', '--help'];
  expect(await ask(...words)).toMatchObject({ kind: 'run', input: { args: words } });
  expect(await ask('--unknown')).toMatchObject({ kind: 'run', input: { args: ['--unknown'] } });
  expect(await ask()).toMatchObject({ kind: 'run', input: { args: [] } });
  expect(await ask('--help', 'up')).toMatchObject({ kind: 'help' });
});

test('a noun alone calls its default command, or shows its help', async () => {
  const nouns = registry.nouns.map((noun) => (noun.name === 'container' ? { ...noun, alone: 'ls' } : noun));
  const withAlone = { ...registry, nouns };
  expect(await resolveRequest(withAlone, ['container'])).toMatchObject({
    kind: 'run',
    target: { path: ['container', 'ls'] },
  });
  expect(await resolveRequest(withAlone, ['container', '--help'])).toMatchObject({ kind: 'help' });
  expect(await resolve('container')).toMatchObject({ kind: 'help' });
});

describe('resolveRequest', () => {
  test.each([
    [['ps'], ['ps']],
    [
      ['container', 'ls'],
      ['container', 'ls'],
    ],
    [
      ['container', 'ps'],
      ['container', 'ps'],
    ],
    [
      ['container', 'list'],
      ['container', 'list'],
    ],
  ])('%j calls the same command, and keeps the name that was used', async (argv, path) => {
    expect(await resolve(...argv, '-aq')).toMatchObject({
      kind: 'run',
      target: { path, entry: { path: ['container', 'ls'] } },
    });
  });

  test("global options come before the command; after it, the same letters are the command's", async () => {
    const request = await resolve('-n', 'k8s.io', '--address=/run/x.sock', '-D', '--run-root', '/r', 'ps', '-n', '5');
    expect(request).toMatchObject({
      kind: 'run',
      globals: { namespace: 'k8s.io', address: '/run/x.sock', debug: true, runRoot: '/r' },
    });
    expect(request.kind === 'run' && request.input.options.int('last')).toBe(5);
  });

  test.each(['-a', '-H', '--host', '--address'])('%s gives the address', async (flag) => {
    expect(await resolve(flag, '/x', 'ps')).toMatchObject({ globals: { address: '/x' } });
  });

  test('options that are not given are absent', async () => {
    expect(await resolve('ps')).toMatchObject({ globals: {} });
    expect(Object.keys((await resolve('ps')) satisfies object)).toContain('globals');
    expect(await resolve('--debug=false', 'ps')).toMatchObject({ globals: { debug: false } });
  });

  test('the image of run ends the options; the arguments of stop do not', async () => {
    expect(await resolve('run', '-dit', 'image', 'cmd', '--rm')).toMatchObject({
      input: { args: ['image', 'cmd', '--rm'] },
    });
    expect(await resolve('stop', 'web', '-t', '5', 'db')).toMatchObject({ input: { args: ['web', 'db'] } });
  });

  test.each([[['--version']], [['-v']], [['-D', '-v', 'ps']]])('%j shows the version', async (argv) => {
    expect(await resolve(...argv)).toEqual({ kind: 'version' });
  });

  test.each([
    [[], 'root'],
    [['--help'], 'root'],
    [['-h'], 'root'],
    [['help', '--all'], 'root'],
    [['help'], 'root'],
    [['container'], 'noun'],
    [['container', '--help', 'foo'], 'noun'],
    [['help', 'container'], 'noun'],
    [['run', '--help'], 'command'],
    [['ps', '-h'], 'command'],
    [['ps', '--help', 'too', 'many'], 'command'],
    [['help', 'container', 'ls'], 'command'],
    [['help', 'ps'], 'command'],
  ])('%j shows help', async (argv, kind) => {
    expect(await resolve(...argv)).toMatchObject({ kind: 'help', target: { kind } });
  });

  test('-h is the host name if the command has that letter', async () => {
    expect(await resolve('run', '-h', 'box', 'image')).toMatchObject({ kind: 'run' });
  });

  test('loads only the command that was named', async () => {
    const loaded: string[] = [];
    const recordingRegistry = {
      ...registry,
      commands: registry.commands.map((entry) => ({
        ...entry,
        load: () => {
          loaded.push(entry.path.join(' '));
          return entry.load();
        },
      })),
    };
    await resolveRequest(recordingRegistry, ['--version']);
    await resolveRequest(recordingRegistry, ['container']);
    expect(loaded).toEqual([]);
    await resolveRequest(recordingRegistry, ['ps']);
    expect(loaded).toEqual(['container ls']);
  });
});

// Compared with the output of Docker 28.2.2 for the same words. Only suggestions, hints and help topics are ours.
const refused: readonly (readonly string[])[] = [
  ['--nope'],
  ['-z'],
  ['-H'],
  ['--debug=maybe', 'ps'],
  ['foo'],
  ['pss'],
  ['contaner'],
  ['container', 'foo'],
  ['container', 'strat'],
  ['container', 'lss'],
  ['container', '--nope'],
  ['help', 'foo'],
  ['help', 'container', 'foo'],
  ['ps', '--nope'],
  ['ps', '--namespace', 'x'],
  ['ps', '-a=maybe'],
  ['ps', '-n', 'a"b'],
  ['ps', 'x'],
  ['run'],
  ['run', '--nope', 'image'],
  ['run', '-xyz'],
  ['run', '--name'],
  ['run', '-e'],
  ['run', '-m', 'xx', 'image'],
  ['run', '--health-interval', 'x', 'image'],
  ['run', '--health-retries=many', 'image'],
  ['run', '--help=maybe'],
  ['container', 'exec', 'web'],
  ['rename', 'a'],
  ['images', 'a', 'b'],
  ['history'],
];

test('errors for wrong command lines', async () => {
  const screens: string[] = [];
  for (const argv of refused) {
    const error = await resolve(...argv).catch((thrown: unknown) => thrown);
    if (!(error instanceof HealthctlError)) throw new Error(`accepted: ${argv.join(' ')}`);
    screens.push(`$ healthctl ${argv.join(' ')}\n${error.message}\n${error.hint ?? ''}\n[${error.exitCode}]\n`);
  }
  const actual = screens.join('\n');
  expect(actual).toBe(golden('usage-errors.txt', actual));
});
