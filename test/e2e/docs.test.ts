import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type ConsoleBlock, consoleBlocksOf, needsNerdctl } from '../../testbed/console-blocks.ts';
import { differencesInPage, type Page } from './support/docs-session.ts';
import { openBed } from './support/harness.ts';
import { withNetworkHost } from './support/network-host.ts';

// Runs the sessions of the documents: runs what follows `$ `, and compares its output with the page. The blocks of a
// page run in order and in one directory, so later blocks can use what earlier ones made.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Blocks that cannot run here, by page and first command. */
const NOT_RUN: readonly { readonly page: string; readonly command: string; readonly reason: string }[] = [
  { page: 'docs/images.md', command: 'healthctl pull busybox', reason: 'needs a real registry' },
  {
    page: 'docs/images.md',
    command: 'healthctl push registry.example.com/web/nginx:1',
    reason: 'needs a real registry',
  },
  { page: 'docs/history.md', command: 'healthctl health', reason: 'shows a week' },
];

const pages: readonly Page[] = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => join('docs', name))]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, blocks: consoleBlocksOf(readFileSync(join(ROOT, name), 'utf8')) }))
  .filter(({ blocks }) => blocks.length > 0);

// test/peers/docs.test.ts runs the blocks with nerdctl.
const isRun = ({ name }: Page, { commands }: ConsoleBlock): boolean =>
  !NOT_RUN.some(({ page, command }) => page === name && command === commands[0]?.text) && !needsNerdctl({ commands });

describe('sessions in the documents', () => {
  test('every block in NOT_RUN exists, once', () => {
    const shown = pages.flatMap(({ name, blocks }) => blocks.map(({ commands }) => `${name}: ${commands[0]?.text}`));
    const listed = NOT_RUN.map(({ page, command }) => `${page}: ${command}`);
    expect(listed.filter((block) => shown.filter((other) => other === block).length !== 1)).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });

  const run = pages.filter((page) => page.blocks.some((block) => isRun(page, block)));
  test.concurrent.each(run.map((page) => [page.name, page] as const))('%s', async (_, page) => {
    expect(await differencesOf(page)).toBe('');
  });
});

/** @returns for each command whose output differs from the page, its line and the difference */
async function differencesOf(page: Page): Promise<string> {
  const blocks = page.blocks.filter((block) => isRun(page, block));
  const bed = await openBed(['autostart = true', 'network = "bridge"']);
  return withNetworkHost(bed, async (host) => {
    // A namespace without an image does not exist, and errors would say so.
    await bed.ctr('namespaces', 'create', bed.namespace);
    return (await differencesInPage({ bed, host }, { ...page, blocks })).join('\n\n');
  });
}
