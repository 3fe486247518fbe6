#!/usr/bin/env node
// Draws the floors of the source into ARCHITECTURE.md, from the rules that `npm run deps` checks.
//   node scripts/floors.mjs            writes the picture
//   node scripts/floors.mjs --print    prints it
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pictureOf } from './lib/floors.mjs';

const PAGE = fileURLToPath(new URL('../ARCHITECTURE.md', import.meta.url));
const PICTURE = /(<!-- floors -->\n```text\n)[^`]*(```\n<!-- \/floors -->)/;

const picture = pictureOf();
if (process.argv.includes('--print')) {
  console.log(picture);
} else {
  writeFileSync(
    PAGE,
    readFileSync(PAGE, 'utf8').replace(PICTURE, (_, before, after) => `${before}${picture}\n${after}`),
  );
}
