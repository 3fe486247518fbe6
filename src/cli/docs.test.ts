import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { unitTextOf } from '../daemon/service-unit/unit.ts';
import { hasCode } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';
import type { CommandEntry, OptionSpec } from './command.ts';
import { parseConfig } from './config/config.ts';
import { pathsOf } from './grammar/command-tree.ts';
import { globalOptions } from './grammar/globals.ts';
import { resolveRequest } from './grammar/resolve.ts';
import { registry } from './registry.ts';

// Compares the documents with the program: the commands that they show parse, everything that exists is documented, and
// every link leads somewhere.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Page {
  /** Relative to the root of the repository. */
  readonly name: string;
  readonly text: string;
}

const markdownIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const pages: readonly Page[] = [...markdownIn('.'), ...markdownIn('docs')].map((name) => ({
  name,
  text: readFileSync(join(ROOT, name), 'utf8'),
}));
/** The recorded session: one text element for each line of the terminal. */
const SESSION = 'docs/images/session.svg';
const recorded: Page = { name: SESSION, text: sessionOf(readFileSync(join(ROOT, SESSION), 'utf8')) };
const page = (name: string): Page => pages.find((candidate) => candidate.name === name) ?? { name, text: '' };

/** The text of fenced blocks of these languages. */
const blocksOf = ({ text }: Page, ...languages: readonly string[]): readonly string[] =>
  [...text.matchAll(/^ *```(\w*)\n(.*?)^ *```$/gms)]
    .filter(([, language = '']) => languages.includes(language))
    .map(([, , body = '']) => body);

const withoutBlocks = (text: string): string => text.replace(/^ *```.*?^ *```$/gms, '');

/** The command lines in blocks: after `$ ` in a session; each line of a script. */
const shownCommands = (of: Page): readonly string[] => [
  ...blocksOf(of, 'console').flatMap((body) =>
    [...body.replaceAll('\\\n', ' ').matchAll(/^ *\$ (.*)$/gm)].map(([, line = '']) => line),
  ),
  ...blocksOf(of, 'sh').flatMap((body) => body.replaceAll('\\\n', ' ').split('\n')),
];

/** Commands in running text: `healthctl ps`. Usage lines (`healthctl [OPTIONS] COMMAND`) do not count. */
const mentionedCommands = ({ text }: Page): readonly string[] =>
  [...withoutBlocks(text).matchAll(/`(healthctl [^`]+)`/g)]
    .map(([, line = '']) => line.replaceAll('\n', ' '))
    .filter((line) => !/\[|…/.test(line));

/** A word of a shell line, with its quotes; or the end of a command: `|`, `;`, `&&`, a redirection, a comment. */
const TOKEN = /(?<end>#.*|\d?[|;&<>]+)|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|;&<>])+/g;
const QUOTES = /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g;

/** The words of each call of healthctl in a shell line. */
function healthctlCalls(line: string): readonly (readonly string[])[] {
  const calls: string[][] = [];
  let call: string[] | undefined;
  for (const { 0: token, groups } of line.matchAll(TOKEN)) {
    const word = token.replace(
      QUOTES,
      (_, single?: string, double?: string, escaped?: string) =>
        single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
    );
    if (groups?.end !== undefined) call = undefined;
    else if (call !== undefined) call.push(word);
    else if (/^(bin\/)?healthctl$/.test(word)) {
      call = [];
      calls.push(call);
    }
  }
  return calls;
}

/** One row for each call of healthctl in the lines that `find` returns for a page. */
const callsIn = (find: (of: Page) => readonly string[]): [page: string, line: string, words: readonly string[]][] =>
  [...pages, recorded].flatMap((of) =>
    find(of)
      .flatMap(healthctlCalls)
      .map((words) => [of.name, words.join(' '), words] as [string, string, readonly string[]]),
  );

describe('all documents', () => {
  test.each(callsIn(shownCommands))('%s shows only commands that parse: %s', async (_page, _line, words) => {
    await expect(resolveRequest(registry, words)).resolves.toBeDefined();
  });

  test.each(callsIn(mentionedCommands))('%s mentions only commands that exist: %s', async (_page, _line, words) => {
    const request = resolveRequest(registry, words).catch((error: unknown) => {
      if (hasCode(error, 'USAGE') && / requires (at least )?\d/.test(error.message)) return 'without its arguments';
      throw error;
    });
    await expect(request).resolves.toBeDefined();
  });

  const links = pages.flatMap(({ name, text }) =>
    [...withoutBlocks(text).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']) => [name, target] as const),
  );
  test.each(links)('%s links only to what exists: %s', (from, target) => {
    const [path = '', anchor] = target.split('#', 2);
    const file = path === '' ? from : relative(ROOT, resolve(ROOT, dirname(from), path));
    expect(existsSync(join(ROOT, file)), file).toBe(true);
    if (anchor !== undefined) expect(headingsOf(page(file).text).map(({ slug }) => slug)).toContain(anchor);
  });
});

function sessionOf(svg: string): string {
  const plain = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  const lines = [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/g)].map(([, line = '']) => plain(line));
  return `\`\`\`console\n${lines.join('\n')}\n\`\`\`\n`;
}

interface Heading {
  readonly title: string;
  readonly slug: string;
  /** The text up to the next heading of the same or a higher level. */
  readonly body: string;
}

function headingsOf(text: string): readonly Heading[] {
  const found = [
    ...text.replace(/^ *```.*?^ *```$/gms, (block) => block.replaceAll('#', ' ')).matchAll(/^(#+) (.*)$/gm),
  ];
  return found.map((match, index) => {
    const [whole, marks = '', title = ''] = match;
    const end = found.slice(index + 1).find(([, other = '']) => other.length <= marks.length)?.index ?? text.length;
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    return { title, slug, body: text.slice(match.index + whole.length, end) };
  });
}

describe('docs/commands.md', () => {
  const headings = headingsOf(page('docs/commands.md').text);
  const listed = registry.commands.filter(({ hidden }) => !hidden);

  /** A command's section, with the sections of the same page that it refers to. */
  const sectionOf = (entry: CommandEntry): string => {
    const own =
      headings.find(({ title }) => pathsOf(entry).some((path) => title === `\`${path.join(' ')}\``))?.body ?? '';
    const shared = [...own.matchAll(/\]\(#([^)]+)\)/g)].flatMap(([, slug]) =>
      headings.filter((one) => one.slug === slug),
    );
    return [own, ...shared.map(({ body }) => body)].join('\n');
  };

  test.each(listed.map((entry) => [entry.path.join(' '), entry] as const))(
    'has a section for %s with its options and aliases',
    async (_, entry) => {
      const section = sectionOf(entry);
      const { options } = await entry.load();
      const names = options.filter(({ hidden }) => !hidden).flatMap(namesOf);
      const missing = [...names, ...pathsOf(entry).map((path) => `healthctl ${path.join(' ')}`)].filter(
        (name) => !section.includes(`\`${name}\``),
      );
      expect(missing).toEqual([]);
      const known = new Set(options.flatMap((spec) => [...namesOf(spec), ...(spec.aliases ?? []).map(dashed)]));
      expect(optionsInTables(section).filter((name) => !known.has(name))).toEqual([]);
    },
  );

  test('has no section for a command that does not exist', () => {
    const commands = new Set(listed.flatMap(pathsOf).map((path) => path.join(' ')));
    const described = headings.flatMap(({ title }) => /^`(.*)`$/.exec(title)?.[1] ?? []);
    expect(described.filter((name) => !commands.has(name))).toEqual([]);
  });
});

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);
const namesOf = ({ name, short }: OptionSpec): readonly string[] => [
  `--${name}`,
  ...(short === undefined ? [] : [`-${short}`]),
];

/** Options in the first column of tables. */
const optionsInTables = (section: string): readonly string[] =>
  [...section.matchAll(/^\| (`-[^|]*)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(--?[\w-]+)`/g)].map(([, name = '']) => name),
  );

describe('docs/configuration.md', () => {
  const { text } = page('docs/configuration.md');

  test('shows a configuration file that can be read', async () => {
    const [file = ''] = blocksOf(page('docs/configuration.md'), 'toml');
    const { texts, debug } = await parseConfig(file, 'healthctl.toml');
    expect(texts.size).toBe(6);
    expect(debug).toBe(false);
  });

  test('names every global option and every label', () => {
    const settings = globalOptions.filter(({ name }) => name !== 'version').flatMap(namesOf);
    expect([...settings, ...Object.values(LABELS)].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('docs/systemd.md', () => {
  test('names exactly the capabilities that the unit keeps', () => {
    const [address, runRoot, dataRoot, nerdctlDataRoot] = ['/run/c.sock', '/run/r', '/var/lib/d', '/var/lib/n'];
    const settings = { address, runRoot, dataRoot, nerdctlDataRoot, snapshotter: 'overlayfs' };
    const unit = unitTextOf({ settings, program: ['/usr/bin/healthctl'], configFile: undefined, servesDocker: true });
    const kept = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
    const named = page('docs/systemd.md').text.match(/\bCAP_[A-Z_]+/g) ?? [];
    expect([...new Set(named)].sort()).toEqual([...kept].sort());
    expect(kept.length).toBeGreaterThan(0);
  });
});

test('the picture of the floors matches the import rules', async () => {
  const { pictureOf } = (await import('../../scripts/lib/floors.mjs' as string)) as { pictureOf(): string };
  expect(page('ARCHITECTURE.md').text).toContain(pictureOf());
});
