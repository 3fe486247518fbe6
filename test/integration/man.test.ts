import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pathsOf } from '../../src/cli/grammar/command-tree.ts';
import { registry } from '../../src/cli/registry.ts';
import { needProgram } from '../../testbed/needed-program.ts';
import { runProgram } from '../../testbed/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', MANWIDTH: '80' };

const made: string[] = [];
/**
 * Builds the pages with the script.
 * @returns their directory
 */
function build(seconds: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'healthctl-man-'));
  made.push(directory);
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/man.ts', directory], {
    cwd: ROOT,
    env: { ...env, SOURCE_DATE_EPOCH: String(seconds) },
  });
  return join(directory, 'man1');
}

let pages: string;
beforeAll(() => {
  pages = build(1_767_225_600);
});
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true });
});
const names = () => readdirSync(pages).sort();
const textOf = (name: string) => readFileSync(join(pages, name), 'utf8');

test('each command has a page under each of its names, each noun has one, and hidden commands have none', () => {
  const paths = registry.commands.filter(({ hidden }) => !hidden).flatMap(pathsOf);
  const expected = [[], ...registry.nouns.map(({ name }) => [name]), ...paths];
  expect(names()).toEqual(expected.map((path) => `${['healthctl', ...path].join('-')}.1`).sort());
});

test('npm installs each page, the first one for the program', () => {
  const { man } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly man: readonly string[] };
  expect(man[0]).toBe('./dist/man/man1/healthctl.1');
  expect(man.toSorted()).toEqual(names().map((name) => `./dist/man/man1/${name}`));
});

test('the page of a command has each of its options, with its text', async () => {
  for (const entry of registry.commands.filter(({ hidden }) => !hidden)) {
    const text = textOf(`healthctl-${entry.path.join('-')}.1`).replaceAll('\\-', '-');
    for (const { name, hidden } of (await entry.load()).options)
      if (!hidden) expect(text).toMatch(new RegExp(`--${name}\\\\fR.*\\n\\S+`));
  }
});

test('the same commit gives the same pages', () => {
  const again = build(1_767_225_600);
  for (const name of names()) expect(readFileSync(join(again, name), 'utf8')).toBe(textOf(name));
  expect(textOf('healthctl.1')).toContain(' 2026-01-01 ');
});

test('mandoc accepts the pages', async (context) => {
  needProgram(context, 'mandoc');
  // Other names of a command have a page of one line, `.so`, because an npm package has no links. mandoc would prefer
  // links.
  const whole = names().filter((name) => !textOf(name).startsWith('.so '));
  const { stdout } = await runProgram(['mandoc', '-T', 'lint', '-W', 'warning', ...whole], { env, cwd: pages });
  expect(stdout).toBe('');
});

test('man shows the pages without a warning, also by another name', async (context) => {
  needProgram(context, 'man');
  const shown = async (...args: readonly string[]) =>
    runProgram(['man', '--warnings', ...args], { env, cwd: join(pages, '..') });
  const all = await shown('-E', 'UTF-8', '-Tutf8', '-Z', '-l', ...names().map((name) => `man1/${name}`));
  expect(all.stderr).toBe('');
  const { stdout } = await shown('-M', join(pages, '..'), 'healthctl-ps');
  expect(stdout).toMatch(/healthctl ps \[OPTIONS\]/);
});
