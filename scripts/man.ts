// Writes the man pages into DIR/man1, from the records of the commands.
//   node --import tsx scripts/man.ts [DIR]     default dist/man
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { registry } from '../src/cli/registry.ts';
import { sourceDate } from './lib/source-date.mjs';
import { manPages } from './man/pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
const directory = join(resolve(process.argv[2] ?? join(root, 'dist/man')), 'man1');
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true });
for (const [name, text] of await manPages(registry, { version, seconds: sourceDate() }))
  writeFileSync(join(directory, name), text);
