import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dockerLikeRegistry } from '../../../test/builders/registry.ts';
import { golden } from '../../../test/golden/golden.ts';
import { registry } from '../registry.ts';
import { pathsOf, type Target } from './command-tree.ts';
import { globalOptions } from './globals.ts';
import { optionTable, renderHelp } from './help.ts';

const PACKAGE = fileURLToPath(new URL('../../../package.json', import.meta.url));

describe('the help of healthctl', () => {
  const targets: readonly (readonly [string, Target])[] = [
    ['healthctl', { kind: 'root' }],
    ['healthctl-all', { kind: 'root', isWhole: true }],
    ...registry.nouns.map((noun) => [noun.name, { kind: 'noun', noun }] as const),
    ...registry.commands.map((entry) => [entry.path.join('-'), { kind: 'command', entry, path: entry.path }] as const),
  ];

  test.each(targets)('help screen: %s', async (name, target) => {
    const text = await renderHelp(registry, target);
    expect(text).toBe(golden(`help/${name}.txt`, text));
  });

  test('healthctl --help fits a terminal of 24 lines and 80 columns', async () => {
    const lines = (await renderHelp(registry, { kind: 'root' }, 80)).trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('healthctl --help names every command and noun, and how to get their summaries', async () => {
    const text = await renderHelp(registry, { kind: 'root' });
    const words = new Set(text.match(/[\w-]+/g));
    const hidden = registry.commands.filter((entry) => entry.hidden).flatMap(pathsOf);
    const expected = [...registry.commands.flatMap(pathsOf), ...registry.nouns.map(({ name }) => [name])]
      .filter((path) => path.length === 1 && !hidden.includes(path))
      .flat();
    expect(expected.filter((word) => !words.has(word))).toEqual([]);
    expect(text).toContain("'healthctl help --all'");
  });

  test.each(registry.commands.map((entry) => [entry.path.join(' '), entry] as const))(
    '%s has a summary, and a text for each of its options',
    async (_name, entry) => {
      expect(entry.summary.trim()).not.toBe('');
      const { options } = await entry.load();
      const without = [...options, ...globalOptions].filter((spec) => spec.help.trim() === '');
      expect(without.map(({ name }) => name)).toEqual([]);
    },
  );

  test.each(registry.commands.map((entry) => [entry.path.join(' '), entry] as const))(
    '%s declares its options correctly',
    async (_name, entry) => {
      const { options, usage } = await entry.load();
      const names = options.flatMap((spec) => [
        spec.name,
        ...(spec.short === undefined ? [] : [spec.short]),
        ...(spec.aliases ?? []),
      ]);
      expect(names).toEqual([...new Set(names)]);
      expect(names).not.toContain('help');
      expect(usage.includes('[OPTIONS]')).toBe(options.some((spec) => !spec.hidden));
      for (const spec of options) expect(spec.help, spec.name).not.toMatch(/\.$/);
    },
  );

  test('package.json lists the man page of each name of a command: npm puts no others in place', () => {
    const shown = registry.commands.filter((entry) => !entry.hidden).flatMap(pathsOf);
    const names = [[], ...registry.nouns.map(({ name }) => [name]), ...shown].map((path) =>
      ['healthctl', ...path].join('-'),
    );
    const man = names.sort().map((name) => `./dist/man/man1/${name}.1`);
    if (process.env.UPDATE_GOLDEN) {
      const updated = { ...JSON.parse(readFileSync(PACKAGE, 'utf8')), man };
      writeFileSync(PACKAGE, `${JSON.stringify(updated, undefined, 2)}\n`);
    }
    expect(JSON.parse(readFileSync(PACKAGE, 'utf8')).man).toEqual(man);
  });

  test('no two commands have the same name', () => {
    const paths = registry.commands.flatMap(pathsOf).map((path) => path.join(' '));
    expect(paths).toEqual([...new Set(paths)]);
  });

  test("a command of two words has an existing noun, one of a single word has no noun's name", () => {
    const nouns = new Set(registry.nouns.map((noun) => noun.name));
    for (const path of registry.commands.flatMap(pathsOf)) {
      if (path.length === 1) expect(nouns).not.toContain(path[0]);
      else expect([path.length, nouns.has(path[0] ?? '')], path.join(' ')).toEqual([2, true]);
    }
  });
});

describe('the layout of help screens', () => {
  test('a command: its usage as called, summary, aliases, options in two columns', async () => {
    const entry = dockerLikeRegistry.commands.find(({ path }) => path[1] === 'ls');
    if (entry === undefined) throw new Error('no such command');
    expect(await renderHelp(dockerLikeRegistry, { kind: 'command', entry, path: ['ps'] })).toBe(
      [
        'Usage:  healthctl ps [OPTIONS]',
        '',
        'Does container ls',
        '',
        'Aliases:',
        '  healthctl container ls, healthctl container list, healthctl container ps, healthctl ps',
        '',
        'Options:',
        '  -a, --all        Show all containers',
        '  -n, --last int   Show the last created containers (default -1)',
        '      --no-trunc   Do not cut off',
        '  -q, --quiet      Show ids only',
        '',
      ].join('\n'),
    );
  });

  test('a noun lists each command once', async () => {
    const [noun] = dockerLikeRegistry.nouns;
    if (noun === undefined) throw new Error('no noun');
    const text = await renderHelp(dockerLikeRegistry, { kind: 'noun', noun });
    expect(text.match(/^ {2}\w+/gm)).toEqual(['  exec', '  ls', '  rename', '  run', '  stop', '  wait']);
  });

  test('option texts wrap at the width, and keep their own line breaks', () => {
    const table = optionTable(
      [
        { name: 'format', type: 'string', help: "Format output:\n'json':   as JSON" },
        { name: 'x', type: 'bool', help: 'one two three four five six seven eight nine ten' },
        { name: 'grace', type: 'duration', default: '10s', help: 'Time to wait' },
        { name: 'name', type: 'string', default: 'web', help: 'Name' },
        { name: 'old', type: 'bool', hidden: true, help: 'Gone' },
      ],
      50,
    );
    expect(table).toBe(
      [
        '      --format string    Format output:',
        "                         'json':   as JSON",
        '      --grace duration   Time to wait (default',
        '                         10s)',
        '      --name string      Name (default "web")',
        '      --x                one two three four five',
        '                         six seven eight nine ten',
      ].join('\n'),
    );
  });
});
