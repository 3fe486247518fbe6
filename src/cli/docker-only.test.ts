import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adviceForCommand, adviceForOption, DOCKER_ONLY } from './docker-only.ts';
import { findCommand } from './grammar/command-tree.ts';
import { globalOptions } from './grammar/globals.ts';
import { resolveRequest } from './grammar/resolve.ts';
import { registry } from './registry.ts';

const refusalOf = async (...argv: string[]): Promise<string> => {
  const error: unknown = await resolveRequest(registry, argv).catch((refusal: unknown) => refusal);
  const { message, hint } = error as { message: string; hint: string };
  return `${message}\n${hint.split('\n')[0]}`;
};

/** From `docker --help` and the help of its management commands, version 29. */
const DOCKER =
  `attach build builder buildx checkpoint commit compose config container context cp create diff events exec export history image
  images import info inspect kill load login logout logs manifest network node pause plugin port ps pull push rename restart rm rmi run save
  search secret service stack start stats stop swarm system tag top trust unpause update version volume wait`.split(
    /\s+/,
  );
const OF_NOUNS: Readonly<Record<string, string>> = {
  container:
    'attach commit cp create diff exec export inspect kill logs ls pause port prune rename restart rm run start stats stop top unpause update wait',
  image: 'build history import inspect load ls prune pull push rm save tag',
  network: 'connect create disconnect inspect ls prune rm',
  system: 'df dial-stdio events info prune',
  volume: 'create inspect ls prune rm update',
};
const PATHS = [
  ...DOCKER.map((word) => [word]),
  ...Object.entries(OF_NOUNS).flatMap(([noun, words]) => words.split(' ').map((word) => [noun, word])),
];
const isThere = (path: readonly string[]): boolean =>
  findCommand(registry, path) !== undefined || registry.nouns.some(({ name }) => name === path.join(' '));

test.each(PATHS.map((path) => path.join(' ')))('docker %s: healthctl either has it or gives advice', (words) => {
  const path = words.split(' ');
  expect(isThere(path)).toBe(adviceForCommand(path) === undefined);
});

test('the table of advice contains only commands that Docker has', () => {
  const known = new Set(PATHS.map((path) => path.join(' ')));
  expect(Object.keys(DOCKER_ONLY.commands).filter((words) => !known.has(words))).toEqual([]);
});

describe('options in the table of advice', () => {
  test.each(Object.keys(DOCKER_ONLY.options))('healthctl itself has none of them for %j', async (words) => {
    const target = findCommand(registry, words.split(' '));
    const specs = words === '' ? globalOptions : ((await target?.entry.load())?.options ?? []);
    expect(specs).not.toEqual([]);
    const own = Object.keys(DOCKER_ONLY.options[words] ?? {}).filter((name) =>
      specs.some((spec) => spec.name === name || spec.aliases?.includes(name)),
    );
    expect(own).toEqual([]);
  });
});

test.each([
  [['search'], 'unknown command: healthctl search\nsearch on'],
  [['container', 'checkpoint', 'web'], 'unknown command: healthctl container checkpoint\nuse ctr'],
  [['trust', 'sign', 'x'], 'unknown command: healthctl trust\nverify signatures'],
  [['image', 'build', '.'], 'unknown command: healthctl image build\nbuild with docker'],
  [['help', 'search'], 'unknown help topic: search\nsearch on'],
  [['run', '--gpus', 'all', 'x'], 'unknown flag: --gpus\ngive the devices'],
  [['create', '--link-local-ip=fe80::2', 'x'], 'unknown flag: --link-local-ip\ngive an address'],
  [['update', '--blkio-weight', '100', 'web'], 'unknown flag: --blkio-weight\nlimits of block'],
  [['-c', 'remote', 'ps'], "unknown shorthand flag: 'c' in -c\nhealthctl speaks to a containerd on this host"],
  [['--context', 'remote', 'ps'], 'unknown flag: --context\nhealthctl speaks'],
  [['ps', '--gpus'], 'unknown flag: --gpus\n'],
  [['strat'], "unknown command: healthctl strat\nDid you mean 'healthctl start' or 'healthctl stats'?"],
  [['constructor'], 'unknown command: healthctl constructor\n'],
])('the error for %j', async (argv, beginning) => {
  expect(await refusalOf(...argv)).toContain(beginning);
});

test('names of Object.prototype get no advice', () => {
  expect(adviceForCommand(['constructor'])).toBeUndefined();
  expect(adviceForOption(['container', 'run'], 'constructor')).toBeUndefined();
  expect(adviceForOption(['constructor'], 'name')).toBeUndefined();
});

test('docs/commands.md contains the table of advice', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/commands.md'), 'utf8');
  for (const [words, advice] of Object.entries(DOCKER_ONLY.commands))
    expect(text).toContain(`| \`docker ${words}\` | ${advice} |\n`);
});
