import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// The files of the page, as built.

const DIR = fileURLToPath(new URL('../../dist/page', import.meta.url));
const names = readdirSync(DIR);

test('all files together have less than 100 kB', () => {
  const sizes = names.map((name) => statSync(join(DIR, name)).size);
  expect(sizes.reduce((total, size) => total + size)).toBeLessThan(100_000);
});

test('the page loads nothing from elsewhere, and has no inline script or style', () => {
  const html = readFileSync(join(DIR, 'index.html'), 'utf8');
  expect([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url)).toEqual([
    'icon.svg',
    'page.css',
    'page.js',
  ]);
  expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*src=)/);
  const css = readFileSync(join(DIR, 'page.css'), 'utf8');
  expect(css).not.toMatch(/url\(|@import/);
});
