#!/usr/bin/env node
// `node scripts/screenshots.mjs [DIRECTORY]`: takes the pictures of the web page for README.md and docs, by default
// into docs/images. Runs its own containerd, and installs Chromium if it is missing.
import { prepare, runNodeAsRoot } from './lib/prepare.mjs';
import { fail } from './lib/run.mjs';

try {
  await prepare(['chromium']);
  const [directory = 'docs/images'] = process.argv.slice(2);
  process.exitCode = await runNodeAsRoot(['--import', 'tsx', 'scripts/screenshots/take.ts', directory], {
    TSX_DISABLE_CACHE: '1',
  });
} catch (error) {
  fail(error);
}
